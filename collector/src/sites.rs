//! The sites, read anew every few seconds, so that a new one works without a restart; and their last
//! good copy on disk, so that a start works while ClickHouse is away.

use std::fs;
use std::num::NonZeroU64;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use store::Server;
use tokio::sync::Mutex;
use tokio::time::MissedTickBehavior;
use wire::SiteName;

use crate::enrich::SiteRules;
use crate::health::Health;
use crate::last_copy::LastCopy;
use crate::validate::{Site, SiteTable};

/// Where in the data folder the last good copy is.
const COPY: &str = "sites.json";
/// How long a new site takes to be known, at most.
const REFRESH_EVERY: Duration = Duration::from_secs(2);

/// The sites as they were last read.
#[derive(Debug)]
pub(crate) struct Sites {
    table: RwLock<Arc<SiteTable>>,
    /// Held while they are read, by the clock or on demand: a list that was read before must not replace one that
    /// was read later, and two do not write one copy.
    turn: Mutex<()>,
    copy: LastCopy,
}

impl Sites {
    /// Starts from the last good copy in the data folder, if there is one.
    pub(crate) fn load(data_dir: &Path) -> Self {
        let copy = LastCopy::new(data_dir.join(COPY));
        let sites = copy.read(|json| Ok(serde_json::from_slice::<Vec<store::site::Site>>(json)?));
        let table = sites.map_or_else(SiteTable::unknown, |sites| table(&sites));
        Self { table: RwLock::new(Arc::new(table)), turn: Mutex::new(()), copy }
    }

    /// The sites now.
    pub(crate) fn table(&self) -> Arc<SiteTable> {
        Arc::clone(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the sites anew, and notes whether ClickHouse answered.
    pub(crate) async fn refresh(&self, server: &Server, health: &Health) {
        let _turn = self.turn.lock().await;
        match store::site::list(server).await {
            Ok(sites) => {
                health.clickhouse_answered();
                let new = table(&sites);
                if *self.table() != new {
                    tracing::info!(sites = new.len(), "the sites have changed");
                    // First the copy: a site that has been answered for is known after a restart.
                    self.keep(&sites);
                    *self.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
                }
            }
            Err(error) => health.clickhouse_is_away(&error),
        }
    }

    /// Refreshes as long as the collector runs.
    pub(crate) async fn keep_fresh(&self, server: &Server, health: &Health) {
        let mut tick = tokio::time::interval(REFRESH_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick comes at once, and the start has refreshed already.
        tick.tick().await;
        loop {
            tick.tick().await;
            self.refresh(server, health).await;
        }
    }

    fn keep(&self, sites: &[store::site::Site]) {
        // A list of names, texts and numbers has always a JSON form.
        self.copy.replace(&serde_json::to_vec_pretty(sites).unwrap_or_default());
    }
}

/// Whether the sites that a collector has last kept in its data folder have this one among them; `None` where there are
/// none that can be read. ClickHouse is not asked.
#[must_use]
pub fn knows_site(data_dir: &Path, site: &SiteName) -> Option<bool> {
    let sites = fs::read(data_dir.join(COPY)).ok()?;
    let sites: Vec<store::site::Site> = serde_json::from_slice(&sites).ok()?;
    Some(sites.iter().any(|known| known.name == *site))
}

/// What the collector takes for its sites.
pub(crate) fn table(sites: &[store::site::Site]) -> SiteTable {
    let site = |site: &store::site::Site| {
        let origins = site.settings.origins.iter().map(|origin| origin.as_str().to_owned());
        Site::new(site.name.clone(), origins)
            .excluding(site.settings.exclude.clone())
            .keeping_referrer_spam(site.settings.keep_referrer_spam)
            .limited_to(site.settings.events_per_day.map(NonZeroU64::get))
            .with_visitors(site.settings.visitors)
            .with_tracker(site.settings.tracker.clone())
            .enriched_by(SiteRules::of(&site.settings))
    };
    sites.iter().map(site).collect()
}
