//! Who is refused at the door: the suppressed persons' hashes, and the user ids they are known by, read
//! from ClickHouse as the sites are, with their last good copy on disk.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use identifier::Identifier;
use sha2::{Digest, Sha256};
use store::suppression::{self, Version};
use store::{EventRow, IdentifierRow, Server, ServerError};
use tokio::sync::Mutex;
use tokio::time::MissedTickBehavior;
use wire::SiteName;

use crate::last_copy::LastCopy;

/// How long a suppression takes to be known, at most.
const REFRESH_EVERY: Duration = Duration::from_secs(5);
/// Entries that are known here, the newest: some 40 MB. Whoever is beyond them still leaves with no
/// audience.
const ENTRIES_MAX: usize = 1_000_000;
/// How the list calls a user id's hash.
const USER: &str = "user";
/// Bytes of an entry in the copy.
const ENTRY_BYTES: usize = 16;

/// The list as it was last read.
#[derive(Debug)]
pub(crate) struct Suppressed {
    entries: RwLock<Arc<HashSet<u128>>>,
    /// Held while the list is read, so that two who read it do not write one copy.
    version: Mutex<Option<Version>>,
    /// Where the last good copy lies; none where it is read for one command only.
    copy: Option<LastCopy>,
}

impl Suppressed {
    /// Starts from the last good copy in the data folder, if there is one.
    pub(crate) fn load(data_dir: &Path) -> Self {
        let copy = LastCopy::new(data_dir.join("suppressed"));
        let entries = copy.read(|bytes| {
            let (entries, _torn) = bytes.as_chunks::<ENTRY_BYTES>();
            Ok(entries.iter().map(|entry| u128::from_le_bytes(*entry)).collect())
        });
        Self {
            entries: RwLock::new(Arc::new(entries.unwrap_or_default())),
            version: Mutex::new(None),
            copy: Some(copy),
        }
    }

    /// Empty until it is refreshed, and kept nowhere: for one command.
    pub(crate) fn unread() -> Self {
        Self { entries: RwLock::default(), version: Mutex::new(None), copy: None }
    }

    /// The list as it is now.
    pub(crate) async fn read(server: &Server) -> Result<Self, ServerError> {
        let list = Self::unread();
        list.refresh(server).await?;
        Ok(list)
    }

    /// Which field of an event names somebody on the site's list: the `user` (empty: nobody known), or the
    /// properties by one of these.
    pub(crate) fn named_by(
        &self,
        site: &SiteName,
        user: &str,
        identifiers: &[Identifier],
    ) -> Option<&'static str> {
        if user.is_empty() && identifiers.is_empty() {
            return None;
        }
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        if entries.is_empty() {
            return None;
        }
        let holds = |kind: &str, value: &str| entries.contains(&entry(site.as_str(), kind, value));
        if identifiers.iter().any(|found| holds(found.kind.as_str(), &found.value)) {
            return Some("properties");
        }
        let is_user = !user.is_empty() && holds(USER, &hex::encode(Sha256::digest(user)));
        is_user.then_some("user")
    }

    /// Whether a stored event, or one that is about to be, carries the user id of somebody on its site's list.
    pub(crate) fn names_stored(&self, row: &EventRow) -> bool {
        if row.user_id.is_empty() || self.is_empty() {
            return false;
        }
        let entry = entry(&row.site, USER, &hex::encode(Sha256::digest(&row.user_id)));
        self.entries.read().unwrap_or_else(PoisonError::into_inner).contains(&entry)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Whether a stored identifier is on its site's list.
    pub(crate) fn holds_stored(&self, row: &IdentifierRow) -> bool {
        let entry = entry(&row.site, &row.kind, &row.value);
        self.entries.read().unwrap_or_else(PoisonError::into_inner).contains(&entry)
    }

    /// Reads the list anew where it has changed.
    pub(crate) async fn refresh(&self, server: &Server) -> Result<(), ServerError> {
        let mut known = self.version.lock().await;
        let version = suppression::version(server).await?;
        if *known == Some(version) {
            return Ok(());
        }
        let mut entries = HashSet::new();
        let take = |found: suppression::Suppressed<'_>| {
            entries.insert(entry(found.site, found.kind, found.value));
        };
        suppression::each(server, ENTRIES_MAX as u64, take).await?;
        if entries.len() >= ENTRIES_MAX {
            tracing::warn!(entries = ENTRIES_MAX, "only the newest suppressions are refused here");
        }
        self.keep(&entries);
        *self.entries.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(entries);
        *known = Some(version);
        Ok(())
    }

    /// Refreshes as long as the collector runs. That ClickHouse is away is told by whoever reads the
    /// sites.
    pub(crate) async fn keep_fresh(&self, server: &Server) {
        let mut tick = tokio::time::interval(REFRESH_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Err(error) = self.refresh(server).await {
                tracing::debug!(%error, "cannot read the suppressions");
            }
        }
    }

    fn keep(&self, entries: &HashSet<u128>) {
        let Some(copy) = &self.copy else { return };
        let bytes: Vec<u8> = entries.iter().flat_map(|entry| entry.to_le_bytes()).collect();
        copy.replace(&bytes);
    }
}

/// Half of a hash of the hash: short, and of no use to whoever finds the copy.
fn entry(site: &str, kind: &str, value: &str) -> u128 {
    let digest = Sha256::new()
        .chain_update(site)
        .chain_update([0])
        .chain_update(kind)
        .chain_update([0])
        .chain_update(value)
        .finalize();
    digest.iter().take(ENTRY_BYTES).fold(0, |entry, byte| entry << 8 | u128::from(*byte))
}
