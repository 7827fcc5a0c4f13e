//! The day's salt: made once a day, the same in every collector, destroyed when the day is over.
//!
//! It lies in three places: in memory, in a file by which a restart within the day keeps the visitors'
//! ids, and in a table of ClickHouse's memory by which collectors agree. Memory and file are cleared within
//! seconds after midnight, UTC, and so is the table where ClickHouse answers.
//!
//! Nothing waits for ClickHouse. A collector that cannot ask it goes by a salt of its own, and by the
//! common one once it can: visitors it has seen between have two ids that day.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use store::visitor_salt::{self, SALT_BYTES, VisitorSalt};
use store::{Server, ServerError};
use tokio::time::{Interval, MissedTickBehavior};
use zeroize::Zeroizing;

use super::salt_file;
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
        if let Err(error) = salt_file::destroy_left_over(&salts.file) {
            tracing::warn!(file = %salts.file.display(), %error, "cannot destroy what a crash has left of a salt");
        }
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
        tokio::join!(
            self.turn_in_time(&sites, &*clock),
            self.agree_in_time(&server, &sites, &*clock)
        );
    }

    /// Apart from the questions, each of which may take half a minute where ClickHouse hangs.
    async fn turn_in_time(&self, sites: &Sites, clock: &dyn Clock) {
        let mut tick = ticks();
        loop {
            tick.tick().await;
            self.turn(sites, clock.now_millis());
        }
    }

    async fn agree_in_time(&self, server: &Server, sites: &Sites, clock: &dyn Clock) {
        let mut tick = ticks();
        loop {
            tick.tick().await;
            self.refresh(server, sites, clock.now_millis()).await;
        }
    }

    /// Turns to the day, agrees with the others, and destroys what is over.
    pub(crate) async fn refresh(&self, server: &Server, sites: &Sites, now_millis: i64) {
        // Before anything that may have to wait.
        let Some(today) = self.turn(sites, now_millis) else { return };
        let is_late = today == day(now_millis) && is_late(now_millis);
        if let Err(error) = self.agree(server, today, is_late).await {
            tracing::debug!(%error, "the day's salt is this collector's own for now");
        }
        self.keep();
    }

    /// Turns to the day and destroys what is over here. Gives the day whose salt holds; none where no site needs
    /// one, and then there is none.
    fn turn(&self, sites: &Sites, now_millis: i64) -> Option<u16> {
        let is_wanted = sites.table().derives_visitors();
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let today = if is_wanted {
            Some(held.turn_to(day(now_millis)))
        } else {
            *held = Held::default();
            None
        };
        drop(held);
        self.keep();
        today
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

    pub(super) fn adopt(&self, common: &VisitorSalt, today: u16) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        if !held.is_of(today) {
            return;
        }
        let place = if common.day == today { &mut held.today } else { &mut held.next };
        if place.as_ref().is_none_or(|salt| salt.published() != *common) {
            *place = Some(Arc::new(Salt::of(common)));
        }
    }

    /// The salt of the day, made where there is none.
    fn own(&self, day: u16, today: u16) -> Option<Arc<Salt>> {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        if !held.is_of(today) {
            return None;
        }
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
        match salt_file::replace(&self.file, &text) {
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

    /// Whether the day has not turned since it was this one: an answer that ClickHouse was slow to give brings no
    /// salt back that is over.
    fn is_of(&self, day: u16) -> bool {
        self.today.as_ref().is_none_or(|salt| salt.day == day)
    }
}

fn ticks() -> Interval {
    let mut tick = tokio::time::interval(REFRESH_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick
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
