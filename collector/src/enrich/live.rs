//! The enricher in use, replaced when a file it was made of has changed. A request keeps the one it
//! began with, so nobody waits for a file to be read.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::exchange::Exchange;
use super::{EnrichFiles, Enricher, PageViewRate, VisitCounts};
use crate::changes::{Changes, LOOK_AGAIN};

#[derive(Debug)]
pub(crate) struct LiveEnricher {
    files: EnrichFiles,
    current: RwLock<Arc<Enricher>>,
    changes: Mutex<Changes>,
    /// Held while files are read: who began earlier, with files as they were, does not end later.
    reading: Mutex<()>,
}

impl LiveEnricher {
    /// With these files, as far as they can be read, and with a limit to a visitor's page views.
    pub(crate) fn open(files: &EnrichFiles, page_views_per_minute_max: u16) -> Self {
        let changes = Changes::of(files.all().cloned());
        let rate = PageViewRate::limited_to(page_views_per_minute_max).map(Arc::new);
        let enricher = Enricher { rate, ..Enricher::open(files) };
        let current = RwLock::new(Arc::new(enricher));
        Self {
            current,
            files: files.clone(),
            changes: Mutex::new(changes),
            reading: Mutex::default(),
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

    /// Reads the files anew. One that cannot be read stays as it was last read, and keeps nothing from the
    /// others: it may be absent from the start. Gives whether all were read; `None` where no files are
    /// named.
    pub(crate) fn reload(&self) -> Option<bool> {
        self.files.all().next()?;
        let _alone = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.current();
        let (geo, all_places) = current.geo.again(&self.files.geo);
        let (networks, all_networks) = current.networks.again(&self.files.asn);
        let rates = exchange(self.files.currency.as_deref());
        let whole = all_places && all_networks && rates.is_some();
        let fresh = Enricher {
            geo,
            networks,
            exchange: rates.map_or_else(|| Arc::clone(&current.exchange), Arc::new),
            user_agents: Arc::clone(&current.user_agents),
            counts: current.counts.clone(),
            rate: current.rate.clone(),
        };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        if whole {
            tracing::info!("the geo and currency files were read again");
        } else {
            tracing::warn!(
                "not all of the geo and currency files can be read; these stay as they were last read"
            );
        }
        Some(whole)
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

    #[test]
    fn a_file_that_is_absent_does_not_keep_the_others_from_being_read_again() {
        let test = "a_file_that_is_absent_does_not_keep_the_others_from_being_read_again";
        let Some(folder) = reference_data(test) else { return };
        let databases = folder.join("geo/test-data");
        let scratch = tempfile::tempdir().unwrap();
        let [absent, places] = ["absent.mmdb", "places.mmdb"].map(|name| scratch.path().join(name));
        let replace = |file: &Path, name: &str| {
            std::fs::write(file, std::fs::read(databases.join(name)).unwrap()).unwrap();
        };
        let live = |enricher: &LiveEnricher| {
            let current = enricher.current();
            let place = current.geo.place("81.2.69.142".parse().unwrap());
            (place.country.to_owned(), place.city.to_owned())
        };
        let told = |country: &str, city: &str| (country.to_owned(), city.to_owned());
        replace(&places, "GeoIP2-Country-Test.mmdb");
        let geo = vec![absent.clone(), places.clone()];
        let enricher = LiveEnricher::open(&EnrichFiles { geo, ..EnrichFiles::default() }, 0);
        assert_eq!(live(&enricher), told("GB", ""));
        replace(&places, "GeoLite2-City-Test.mmdb");
        assert_eq!(enricher.reload(), Some(false), "one is still absent");
        assert_eq!(live(&enricher), told("GB", "London"));
        // One that breaks stays as it was, and those beside it are taken.
        replace(&absent, "GeoIP2-Country-Test.mmdb");
        assert_eq!(enricher.reload(), Some(true));
        std::fs::write(&places, "broken").unwrap();
        replace(&absent, "GeoLite2-City-Test.mmdb");
        assert_eq!(enricher.reload(), Some(false));
        assert_eq!(live(&enricher), told("GB", "London"));
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
        for (text, expected) in [
            ("Date,USD\n1970-01-01,1.5\n", "15.0"),
            ("Date,USD\n1970-01-01,nonsense\n", "15.0"),
            ("Date,USD\n1970-01-01,2\n", "20"),
        ] {
            replace(text);
            live.look();
            live.look();
            assert_eq!(dollars(&live).as_deref(), Some(expected), "{text}");
        }
    }
}
