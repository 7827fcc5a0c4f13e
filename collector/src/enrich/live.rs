//! The enricher in use, replaced when a file it was made of has changed. A request keeps the one it
//! began with, so nobody waits for a file to be read.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use super::Enricher;
use super::geo::{Geo, open};
use super::network::Networks;

/// How often the files are looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What tells that a file was replaced: when, and how many bytes it has; `None` where it is absent.
type Stamp = Option<(SystemTime, u64)>;

#[derive(Debug)]
pub(crate) struct LiveEnricher {
    geo_files: Vec<PathBuf>,
    asn_files: Vec<PathBuf>,
    current: RwLock<Arc<Enricher>>,
    /// Of the files as they were before `current` was made of them.
    opened: Vec<Stamp>,
}

impl LiveEnricher {
    /// With these geo and network files, as far as they can be read.
    pub(crate) fn open(geo_files: &[PathBuf], asn_files: &[PathBuf]) -> Self {
        let opened = stamps(geo_files, asn_files);
        Self {
            current: RwLock::new(Arc::new(Enricher::open(geo_files, asn_files))),
            geo_files: geo_files.to_owned(),
            asn_files: asn_files.to_owned(),
            opened,
        }
    }

    /// The one to use for a request, from its beginning to its end.
    pub(crate) fn current(&self) -> Arc<Enricher> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes changed files in, for ever.
    pub(crate) async fn keep_fresh(self: Arc<Self>) {
        let mut loaded = self.opened.clone();
        let mut seen = loaded.clone();
        loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            let live = Arc::clone(&self);
            let (before, known) = (seen, loaded);
            // Files may lie on a slow disk, and reading one takes up to seconds.
            let looked = tokio::task::spawn_blocking(move || live.look(before, known)).await;
            let Ok(looked) = looked else { return };
            (seen, loaded) = looked;
        }
    }

    /// Reads the files anew where they differ from those loaded and have not changed since they were
    /// last looked at, so that none is read while it is written. Gives the stamps seen, and loaded.
    fn look(&self, before: Vec<Stamp>, loaded: Vec<Stamp>) -> (Vec<Stamp>, Vec<Stamp>) {
        let seen = stamps(&self.geo_files, &self.asn_files);
        if seen == loaded || seen != before {
            return (seen, loaded);
        }
        self.reload();
        (seen.clone(), seen)
    }

    /// All of them or none: one that cannot be read leaves the former ones in use.
    fn reload(&self) {
        let all = |files: &[PathBuf]| files.iter().map(open).collect::<Option<Vec<_>>>();
        let (Some(places), Some(networks)) = (all(&self.geo_files), all(&self.asn_files)) else {
            tracing::warn!(
                "a geo file was replaced by one that cannot be read, the former ones stay in use"
            );
            return;
        };
        let user_agents = Arc::clone(&self.current().user_agents);
        let fresh =
            Enricher { geo: Geo::of(places), networks: Networks::of(networks), user_agents };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        tracing::info!("the geo files were read again");
    }
}

fn stamps(geo_files: &[PathBuf], asn_files: &[PathBuf]) -> Vec<Stamp> {
    let stamp = |path: &PathBuf| {
        let found = std::fs::metadata(path).ok()?;
        Some((found.modified().ok()?, found.len()))
    };
    geo_files.iter().chain(asn_files).map(stamp).collect()
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
        let (seen, loaded) = enricher.look(enricher.opened.clone(), enricher.opened.clone());
        assert_eq!(live(&enricher), "", "it may still be written");
        let (seen, loaded) = enricher.look(seen, loaded);
        assert_eq!(live(&enricher), "London");
        assert_eq!(former.geo.place("81.2.69.142".parse().unwrap()).city, "");

        replace("MaxMind-DB-test-broken-pointers-24.mmdb");
        let (seen, loaded) = enricher.look(seen, loaded);
        let (seen, loaded) = enricher.look(seen, loaded);
        assert_eq!(live(&enricher), "London");
        assert_eq!(seen, loaded, "a broken file is read once");
    }
}
