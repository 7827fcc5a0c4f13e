//! The sites, read anew every few seconds, so that a new one works without a restart; and their last
//! good copy on disk, so that a start works while ClickHouse is away.

use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use std::{fs, io};

use store::Server;
use tokio::time::MissedTickBehavior;

use crate::enrich::SiteRules;
use crate::health::Health;
use crate::validate::{Site, SiteTable};

/// How long a new site takes to be known, at most.
const REFRESH_EVERY: Duration = Duration::from_secs(2);

/// The sites as they were last read.
#[derive(Debug)]
pub(crate) struct Sites {
    table: RwLock<Arc<SiteTable>>,
    copy: PathBuf,
}

impl Sites {
    /// Starts from the last good copy in the data folder, if there is one.
    pub(crate) fn load(data_dir: &Path) -> Self {
        let copy = data_dir.join("sites.json");
        let table = match read(&copy) {
            Ok(sites) => table(&sites),
            Err(error) if error.kind() == io::ErrorKind::NotFound => SiteTable::default(),
            Err(error) => {
                tracing::warn!(file = %copy.display(), %error, "cannot read the last copy of the sites");
                SiteTable::default()
            }
        };
        Self { table: RwLock::new(Arc::new(table)), copy }
    }

    /// The sites now.
    pub(crate) fn table(&self) -> Arc<SiteTable> {
        Arc::clone(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the sites anew, and notes whether ClickHouse answered.
    pub(crate) async fn refresh(&self, server: &Server, health: &Health) {
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
        let written = serde_json::to_vec_pretty(sites).map_err(io::Error::from).and_then(|json| {
            let new = self.copy.with_extension("json.new");
            fs::write(&new, json)?;
            fs::rename(new, &self.copy)
        });
        if let Err(error) = written {
            tracing::warn!(file = %self.copy.display(), %error, "cannot keep a copy of the sites");
        }
    }
}

fn read(copy: &Path) -> io::Result<Vec<store::site::Site>> {
    Ok(serde_json::from_slice(&fs::read(copy)?)?)
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
