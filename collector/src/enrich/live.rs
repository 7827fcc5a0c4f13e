//! The enricher in use, replaced when a file it was made of has changed. A request keeps the one it
//! began with, so nobody waits for a file to be read.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::geo::{Geo, open};
use super::network::Networks;
use super::{Enricher, VisitCounts};
use crate::changes::{Changes, LOOK_AGAIN};

#[derive(Debug)]
pub(crate) struct LiveEnricher {
    geo_files: Vec<PathBuf>,
    asn_files: Vec<PathBuf>,
    current: RwLock<Arc<Enricher>>,
    changes: Mutex<Changes>,
}

impl LiveEnricher {
    /// With these geo and network files, as far as they can be read.
    pub(crate) fn open(geo_files: &[PathBuf], asn_files: &[PathBuf]) -> Self {
        let changes = Changes::of(geo_files.iter().chain(asn_files).cloned());
        Self {
            current: RwLock::new(Arc::new(Enricher::open(geo_files, asn_files))),
            geo_files: geo_files.to_owned(),
            asn_files: asn_files.to_owned(),
            changes: Mutex::new(changes),
        }
    }

    /// Counts visits here from now on.
    pub(crate) fn counting(mut self, counts: VisitCounts) -> Self {
        let current = self.current.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(enricher) = Arc::get_mut(current) {
            enricher.counts = counts;
        }
        self
    }

    /// The one to use for a request, from its beginning to its end.
    pub(crate) fn current(&self) -> Arc<Enricher> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes changed files in, for ever.
    pub(crate) async fn keep_fresh(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            let live = Arc::clone(&self);
            // Files may lie on a slow disk, and reading one takes up to seconds.
            if tokio::task::spawn_blocking(move || live.look()).await.is_err() {
                return;
            }
        }
    }

    fn look(&self) {
        let complete = self.changes.lock().unwrap_or_else(PoisonError::into_inner).are_complete();
        if complete {
            self.reload();
        }
    }

    /// Reads the files anew, all of them or none: one that cannot be read leaves the former ones in
    /// use. Gives whether the new ones are in use; `None` where no files are named.
    pub(crate) fn reload(&self) -> Option<bool> {
        if self.geo_files.is_empty() && self.asn_files.is_empty() {
            return None;
        }
        let all = |files: &[PathBuf]| files.iter().map(open).collect::<Option<Vec<_>>>();
        let (Some(places), Some(networks)) = (all(&self.geo_files), all(&self.asn_files)) else {
            tracing::warn!(
                "a geo file was replaced by one that cannot be read, the former ones stay in use"
            );
            return Some(false);
        };
        let current = self.current();
        let fresh = Enricher {
            geo: Geo::of(places),
            networks: Networks::of(networks),
            user_agents: Arc::clone(&current.user_agents),
            counts: current.counts.clone(),
        };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        tracing::info!("the geo files were read again");
        Some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enrich::reference::reference_data;

    #[test]
    fn takes_a_changed_file_in_and_keeps_the_former_before_a_broken_one() {
        let test = "takes_a_changed_file_in_and_keeps_the_former_before_a_broken_one";
        let Some(folder) = reference_data(test) else { return };
        let databases = folder.join("geo/test-data");
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("places.mmdb");
        let replace = |name: &str| {
            let bytes = std::fs::read(databases.join(name)).unwrap();
            std::fs::write(&file, bytes).unwrap();
        };
        let live = |enricher: &LiveEnricher| {
            enricher.current().geo.place("81.2.69.142".parse().unwrap()).city.to_owned()
        };
        replace("GeoIP2-Country-Test.mmdb");
        let enricher = LiveEnricher::open(std::slice::from_ref(&file), &[]);
        assert_eq!(live(&enricher), "");

        let former = enricher.current();
        replace("GeoLite2-City-Test.mmdb");
        enricher.look();
        assert_eq!(live(&enricher), "", "it may still be written");
        enricher.look();
        assert_eq!(live(&enricher), "London");
        assert_eq!(former.geo.place("81.2.69.142".parse().unwrap()).city, "");

        replace("MaxMind-DB-test-broken-pointers-24.mmdb");
        enricher.look();
        enricher.look();
        assert_eq!(live(&enricher), "London");
        assert_eq!(enricher.reload(), Some(false), "it is still broken");
        assert_eq!(live(&enricher), "London");
    }
}
