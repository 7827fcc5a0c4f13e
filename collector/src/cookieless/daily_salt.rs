//! The day's salt: made once a day, the same in every collector, destroyed when the day is over.
//!
//! It lies in three places: in memory, in a file by which a restart within the day keeps the visitors'
//! ids, and in a table of ClickHouse's memory by which collectors agree. All three are cleared within
//! seconds after midnight, UTC.
//!
//! Nothing waits for ClickHouse. A collector that cannot ask it goes by a salt of its own, and by the
//! common one once it can: visitors it has seen between have two ids that day.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use store::visitor_salt::{self, SALT_BYTES, VisitorSalt};
use store::{Server, ServerError};
use tokio::time::MissedTickBehavior;
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::sites::Sites;

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// How long before its day a salt is made, so that no collector begins a day alone.
const AHEAD_MILLIS: i64 = 60 * 60 * 1000;
/// How long a salt may outlive its day, and collectors may differ.
const REFRESH_EVERY: Duration = Duration::from_secs(2);

/// A day's salt, wiped from memory when nobody needs it any more.
pub(crate) struct Salt {
    day: u16,
    bytes: Zeroizing<[u8; SALT_BYTES]>,
}

impl fmt::Debug for Salt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Salt").field("day", &self.day).finish_non_exhaustive()
    }
}

impl Salt {
    fn new(day: u16) -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; SALT_BYTES]);
        getrandom::fill(&mut *bytes)?;
        Ok(Self { day, bytes })
    }

    fn of(salt: &VisitorSalt) -> Self {
        Self { day: salt.day, bytes: Zeroizing::new(salt.salt) }
    }

    fn published(&self) -> VisitorSalt {
        VisitorSalt { day: self.day, salt: *self.bytes }
    }

    /// The key of an HMAC: a block of the hash, ending in noughts (RFC 2104, 2.).
    pub(super) fn block(&self) -> [u8; 64] {
        let mut block = [0; 64];
        block.iter_mut().zip(*self.bytes).for_each(|(place, byte)| *place = byte);
        block
    }
}

/// The salts that are there.
#[derive(Clone, Debug, Default)]
struct Held {
    today: Option<Arc<Salt>>,
    next: Option<Arc<Salt>>,
}

/// Today's salt, and tomorrow's when it is near.
pub(crate) struct DailySalts {
    held: RwLock<Held>,
    file: PathBuf,
    kept: Mutex<Kept>,
}

/// What the file holds.
struct Kept {
    text: Zeroizing<String>,
    /// Whether it is another than it should be, and that was told.
    failing: bool,
}

impl fmt::Debug for DailySalts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("DailySalts").field("file", &self.file).finish_non_exhaustive()
    }
}

impl DailySalts {
    /// Starts from what a former run has left in the data folder, as far as its day is not over.
    pub(crate) fn load(data_dir: &Path, now_millis: i64) -> Self {
        let file = data_dir.join("visitor-salt");
        let kept = match fs::read_to_string(&file) {
            Ok(kept) => kept,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(file = %file.display(), %error, "cannot read the day's salt");
                }
                String::new()
            }
        };
        let today = day(now_millis);
        let of =
            |day: u16| kept.lines().filter_map(read).find(|salt| salt.day == day).map(Arc::new);
        let held = Held { today: of(today), next: today.checked_add(1).and_then(of) };
        let salts = Self {
            held: RwLock::new(held),
            file,
            kept: Mutex::new(Kept { text: kept.into(), failing: false }),
        };
        salts.keep();
        salts
    }

    /// The salt of the day in which this millisecond lies; none only where the system has no random
    /// numbers.
    pub(crate) fn at(&self, now_millis: i64) -> Option<Arc<Salt>> {
        let day = day(now_millis);
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(salt) = held.today.as_ref().filter(|salt| holds(salt, day)) {
            return Some(Arc::clone(salt));
        }
        drop(held);
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.turn_to(day);
        held.today.clone()
    }

    /// Agrees with the other collectors as long as this one runs, where a site's visitors go by such
    /// ids; else there is no salt at all. That ClickHouse is away is told by whoever reads the sites.
    pub(crate) async fn keep_fresh(
        self: Arc<Self>,
        server: Server,
        sites: Arc<Sites>,
        clock: Arc<dyn Clock>,
    ) {
        let mut tick = tokio::time::interval(REFRESH_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            self.refresh(&server, &sites, clock.now_millis()).await;
        }
    }

    /// Turns to the day, agrees with the others, and destroys what is over.
    pub(crate) async fn refresh(&self, server: &Server, sites: &Sites, now_millis: i64) {
        if !sites.table().derives_visitors() {
            *self.held.write().unwrap_or_else(PoisonError::into_inner) = Held::default();
            self.keep();
            return;
        }
        let day = day(now_millis);
        let today = self.held.write().unwrap_or_else(PoisonError::into_inner).turn_to(day);
        // Before anything that may have to wait.
        self.keep();
        if let Err(error) = self.agree(server, today, today == day && is_late(now_millis)).await {
            tracing::debug!(%error, "the day's salt is this collector's own for now");
        }
        self.keep();
    }

    async fn agree(&self, server: &Server, today: u16, is_late: bool) -> Result<(), ServerError> {
        let found = visitor_salt::list(server).await?;
        for day in today..=today.saturating_add(is_late.into()) {
            match found.iter().find(|salt| salt.day == day) {
                Some(common) => self.adopt(common, today),
                None => {
                    let own = self.own(day, today).map(|salt| salt.published());
                    if let Some(own) = own {
                        visitor_salt::publish(server, own).await?;
                    }
                }
            }
        }
        if found.iter().any(|salt| salt.day < today) {
            visitor_salt::destroy_before(server, today).await?;
        }
        Ok(())
    }

    fn adopt(&self, common: &VisitorSalt, today: u16) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let place = if common.day == today { &mut held.today } else { &mut held.next };
        if place.as_ref().is_none_or(|salt| salt.published() != *common) {
            *place = Some(Arc::new(Salt::of(common)));
        }
    }

    /// The salt of the day, made where there is none.
    fn own(&self, day: u16, today: u16) -> Option<Arc<Salt>> {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let place = if day == today { &mut held.today } else { &mut held.next };
        if place.as_ref().is_none_or(|salt| salt.day != day) {
            *place = made(day);
        }
        place.clone()
    }

    /// Makes the file hold what memory holds.
    fn keep(&self) {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner).clone();
        let lines = [held.today, held.next];
        let text: String = lines.iter().flatten().map(|salt| written(salt)).collect();
        let text = Zeroizing::new(text);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.text == text {
            return;
        }
        match replace(&self.file, &text) {
            Ok(()) => *kept = Kept { text, failing: false },
            Err(error) if kept.failing => {
                tracing::debug!(%error, "the day's salt is still not kept")
            }
            Err(error) => {
                kept.failing = true;
                tracing::warn!(file = %self.file.display(), %error, "cannot keep the day's salt, or destroy the former");
            }
        }
    }
}

impl Held {
    /// Goes on to the day, whose salt is the one that was made ahead, or a new one. Gives the day whose
    /// salt holds.
    fn turn_to(&mut self, day: u16) -> u16 {
        if let Some(salt) = self.today.as_ref().filter(|salt| holds(salt, day)) {
            return salt.day;
        }
        let next = self.next.take().filter(|salt| salt.day == day);
        self.today = next.or_else(|| made(day));
        day
    }
}

fn made(day: u16) -> Option<Arc<Salt>> {
    match Salt::new(day) {
        Ok(salt) => Some(Arc::new(salt)),
        Err(error) => {
            tracing::error!(%error, "the system gives no random numbers; visitors without an id are left out");
            None
        }
    }
}

/// A clock that is set back a little, over midnight, does not bring the day before back: its salt is
/// gone.
fn holds(salt: &Salt, day: u16) -> bool {
    salt.day == day || salt.day.checked_sub(1) == Some(day)
}

/// Days since 1970, UTC; up to the year 2149, as ClickHouse counts them.
fn day(now_millis: i64) -> u16 {
    u16::try_from(now_millis.div_euclid(DAY_MILLIS)).unwrap_or(u16::MAX)
}

fn is_late(now_millis: i64) -> bool {
    now_millis.rem_euclid(DAY_MILLIS) >= DAY_MILLIS - AHEAD_MILLIS
}

/// A line of the file.
fn written(salt: &Salt) -> String {
    format!("{} {}\n", salt.day, hex::encode(*salt.bytes))
}

fn read(line: &str) -> Option<Salt> {
    let (day, salt) = line.split_once(' ')?;
    let mut bytes = Zeroizing::new([0; SALT_BYTES]);
    hex::decode_to_slice(salt, &mut *bytes).ok()?;
    Some(Salt { day: day.parse().ok()?, bytes })
}

/// Writes the file anew, for its owner alone, or takes it away. What it held is overwritten first: on
/// most file systems a deleted file's bytes lie there until others need the room.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    match OpenOptions::new().write(true).open(file) {
        Ok(mut old) => {
            let bytes = usize::try_from(old.metadata()?.len()).unwrap_or_default();
            old.write_all(&vec![b'0'; bytes.min(4096)])?;
            old.sync_all()?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    if text.is_empty() {
        return match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    }
    let new = file.with_extension("new");
    // A crash may have left one, perhaps with other rights.
    if let Err(error) = fs::remove_file(&new)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    written.write_all(text.as_bytes())?;
    fs::rename(new, file)
}
