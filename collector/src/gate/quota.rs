//! A site's events of the day (UTC): counted here as they are taken, and learnt from ClickHouse every
//! half minute, where those of other collectors, and of this one before its last start, are.
//!
//! Over the quota a request is refused until midnight, and not answered as taken with its events left
//! out: a sender that keeps its events can send them when the quota was raised, and no number is wrong
//! without somebody having been told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use store::Server;
use tokio::time::MissedTickBehavior;
use wire::SiteName;

use crate::clock::Clock;
use crate::error::Rejection;
use crate::sites::Sites;
use crate::validate::Site;

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// How long this collector does not know what others have taken.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// How much of its quota each site has used. Only sites that have one are in it.
#[derive(Debug, Default)]
pub(crate) struct Quotas(Mutex<HashMap<String, Used>>);

/// Events of one day.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    /// Since 1970.
    day: i64,
    events: u64,
    told: bool,
}

impl Quotas {
    /// Refuses what is over the quota. The batch that crosses it is still taken whole.
    pub(super) fn check(&self, site: &Site, now_millis: i64) -> Result<(), Rejection> {
        let Some(events_per_day) = site.events_per_day else { return Ok(()) };
        let full = self.of_today(site.name.as_str(), now_millis, |used| {
            let full = used.events >= events_per_day;
            if full && !std::mem::replace(&mut used.told, true) {
                let site = site.name.as_str();
                tracing::warn!(site, events_per_day, "the site's events of the day are used up");
            }
            full
        });
        if !full {
            return Ok(());
        }
        let left = DAY_MILLIS - now_millis.rem_euclid(DAY_MILLIS);
        let wait = Duration::from_millis(left.unsigned_abs());
        Err(Rejection::SiteOverQuota { events_per_day, wait })
    }

    /// Counts what is on the disk, of a site that has a quota.
    pub(crate) fn count(&self, site: &SiteName, events: u32, now_millis: i64) {
        let add = |used: &mut Used| used.events = used.events.saturating_add(events.into());
        self.of_today(site.as_str(), now_millis, add);
    }

    /// ClickHouse has so many of the day. It lacks what still lies in a spool, so more may be known here.
    fn learn(&self, site: &str, events: u64, now_millis: i64) {
        self.of_today(site, now_millis, |used| used.events = used.events.max(events));
    }

    fn of_today<T>(&self, site: &str, now_millis: i64, go: impl FnOnce(&mut Used) -> T) -> T {
        let day = now_millis.div_euclid(DAY_MILLIS);
        let mut sites = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Its name is owned once, and not with every request.
        let mut today = sites.get(site).copied().unwrap_or_default();
        if today.day != day {
            today = Used { day, ..Used::default() };
        }
        let told = go(&mut today);
        match sites.get_mut(site) {
            Some(used) => *used = today,
            None => drop(sites.insert(site.to_owned(), today)),
        }
        told
    }

    /// Learns what ClickHouse has. Where it is away, what was counted here holds.
    pub(crate) async fn look(&self, server: &Server, sites: &Sites, now_millis: i64) {
        let table = sites.table();
        let limited: Vec<_> = table.limited().map(SiteName::as_str).collect();
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|site, _| table.find(site).is_ok_and(|site| site.events_per_day.is_some()));
        if limited.is_empty() {
            return;
        }
        let midnight = now_millis - now_millis.rem_euclid(DAY_MILLIS);
        match store::site::received_since(server, &limited, midnight).await {
            Ok(counts) => {
                for (site, events) in counts {
                    self.learn(&site, events, now_millis);
                }
            }
            Err(error) => tracing::debug!(%error, "cannot ask how many events sites have today"),
        }
    }

    /// Looks as long as the collector runs.
    pub(crate) async fn keep_fresh(&self, server: &Server, sites: &Sites, clock: &Arc<dyn Clock>) {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick comes at once, and the start has looked already.
        tick.tick().await;
        loop {
            tick.tick().await;
            self.look(server, sites, clock.now_millis()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(events_per_day: Option<u64>) -> Site {
        Site::new("shop".parse().unwrap(), []).limited_to(events_per_day)
    }

    #[test]
    fn a_day_has_so_many_events_and_the_next_one_again() {
        let (quotas, shop) = (Quotas::default(), site(Some(10)));
        let noon = 20_000 * DAY_MILLIS + DAY_MILLIS / 2;
        quotas.count(&shop.name, 9, noon);
        assert_eq!(quotas.check(&shop, noon), Ok(()));
        quotas.count(&shop.name, 5, noon);
        let wait = Duration::from_secs(12 * 60 * 60);
        assert_eq!(
            quotas.check(&shop, noon),
            Err(Rejection::SiteOverQuota { events_per_day: 10, wait })
        );
        assert_eq!(quotas.check(&site(Some(20)), noon), Ok(()), "it was raised");
        assert_eq!(quotas.check(&site(None), noon), Ok(()), "it was taken away");
        assert_eq!(quotas.check(&shop, noon + DAY_MILLIS / 2), Ok(()), "midnight");
    }

    #[test]
    fn what_others_have_taken_counts_and_what_is_still_in_a_spool_too() {
        let (quotas, shop) = (Quotas::default(), site(Some(10)));
        quotas.count(&shop.name, 4, 0);
        quotas.learn("shop", 2, 0);
        quotas.count(&shop.name, 5, 0);
        assert_eq!(quotas.check(&shop, 0), Ok(()), "9 here");
        quotas.learn("shop", 10, 0);
        assert!(quotas.check(&shop, 0).is_err(), "10 in ClickHouse");
    }
}
