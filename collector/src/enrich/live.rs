//! The enricher in use, replaced when a file it was made of has changed. A request keeps the one it
//! began with, so nobody waits for a file to be read.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use super::Enricher;
use super::exchange::Exchange;
use super::geo::{Geo, open};
use super::network::Networks;
use super::{EnrichFiles, PageViewRate};

/// How often the files are looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What tells that a file was replaced: when, and how many bytes it has; `None` where it is absent.
type Stamp = Option<(SystemTime, u64)>;

#[derive(Debug)]
pub(crate) struct LiveEnricher {
    files: EnrichFiles,
    current: RwLock<Arc<Enricher>>,
    /// Of the files as they were before `current` was made of them.
    opened: Vec<Stamp>,
}

impl LiveEnricher {
    /// With these files, as far as they can be read, and with a limit to a visitor's page views.
    pub(crate) fn open(files: &EnrichFiles, page_views_per_minute_max: u16) -> Self {
        let opened = stamps(files);
        let rate = PageViewRate::limited_to(page_views_per_minute_max).map(Arc::new);
        let enricher = Enricher { rate, ..Enricher::open(files) };
        Self { current: RwLock::new(Arc::new(enricher)), files: files.clone(), opened }
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
        let seen = stamps(&self.files);
        if seen == loaded || seen != before {
            return (seen, loaded);
        }
        self.reload();
        (seen.clone(), seen)
    }

    /// All of them or none: one that cannot be read leaves the former ones in use.
    fn reload(&self) {
        let all = |files: &[PathBuf]| files.iter().map(open).collect::<Option<Vec<_>>>();
        let (Some(places), Some(networks), Some(exchange)) =
            (all(&self.files.geo), all(&self.files.asn), exchange(self.files.currency.as_deref()))
        else {
            tracing::warn!(
                "a geo or currency file was replaced by one that cannot be read, the former ones stay in use"
            );
            return;
        };
        let current = self.current();
        let fresh = Enricher {
            geo: Geo::of(places),
            networks: Networks::of(networks),
            exchange,
            user_agents: Arc::clone(&current.user_agents),
            rate: current.rate.clone(),
        };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        tracing::info!("the geo and currency files were read again");
    }
}

/// The table in a file, where there is one; without, no rate is known.
pub(super) fn exchange(file: Option<&Path>) -> Option<Exchange> {
    let Some(file) = file else { return Some(Exchange::default()) };
    Exchange::open(file)
        .inspect_err(|error| {
            tracing::warn!(file = %file.display(), %error, "cannot read the currency file, its rates stay unknown");
        })
        .ok()
}

fn stamps(files: &EnrichFiles) -> Vec<Stamp> {
    let stamp = |path: &PathBuf| {
        let found = std::fs::metadata(path).ok()?;
        Some((found.modified().ok()?, found.len()))
    };
    files.geo.iter().chain(&files.asn).chain(&files.currency).map(stamp).collect()
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
        let files = EnrichFiles { geo: vec![file.clone()], ..EnrichFiles::default() };
        let enricher = LiveEnricher::open(&files, 0);
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

    #[test]
    fn takes_new_rates_in_and_keeps_the_former_before_a_broken_table() {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("eurofxref-hist.csv");
        let replace = |text: &str| std::fs::write(&file, text).unwrap();
        let dollars = |live: &LiveEnricher| {
            let (euro, dollar) = (store::Currency::EUR, "USD".parse().unwrap());
            live.current().exchange.convert(10.into(), euro, dollar, 0).map(|ten| ten.to_string())
        };
        let files = EnrichFiles { currency: Some(file.clone()), ..EnrichFiles::default() };
        let live = LiveEnricher::open(&files, 0);
        assert_eq!(dollars(&live), None, "there is no file");
        let mut stamps = (live.opened.clone(), live.opened.clone());
        for (text, expected) in [
            ("Date,USD\n1970-01-01,1.5\n", "15.0"),
            ("Date,USD\n1970-01-01,nonsense\n", "15.0"),
            ("Date,USD\n1970-01-01,2\n", "20"),
        ] {
            replace(text);
            stamps = live.look(stamps.0, stamps.1);
            stamps = live.look(stamps.0, stamps.1);
            assert_eq!(dollars(&live).as_deref(), Some(expected), "{text}");
        }
    }
}
