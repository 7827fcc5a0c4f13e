//! What enrichment found out about those who sent requests, counted. A request is one visit here,
//! however many events it has.

use prometheus_client::metrics::counter::Counter;

use super::BotReason;
use crate::metrics::Series;

/// Clones count into the same series.
#[derive(Clone, Debug)]
pub(crate) struct VisitCounts {
    pub(crate) places: Series<Counter>,
    pub(crate) bots: Series<Counter>,
}

impl Default for VisitCounts {
    fn default() -> Self {
        let bots = BotReason::ALL.map(BotReason::as_str);
        Self {
            places: Series::of("found", ["yes", "no"], Counter::default),
            bots: Series::of("reason", bots, Counter::default),
        }
    }
}

impl VisitCounts {
    /// Events that only their visitor's pace sets apart: that is told event by event, and not with the visit.
    pub(crate) fn too_fast(&self, events: u32) {
        if events > 0
            && let Some(bots) = self.bots.at(BotReason::Rate as usize)
        {
            bots.inc_by(events.into());
        }
    }

    pub(super) fn count(&self, country: &str, bot: Option<BotReason>) {
        if let Some(place) = self.places.at(usize::from(country.is_empty())) {
            place.inc();
        }
        if let Some(reason) = bot
            && let Some(bots) = self.bots.at(reason as usize)
        {
            bots.inc();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layer_has_a_place_of_its_own() {
        let counts = VisitCounts::default();
        for reason in BotReason::ALL {
            counts.count("", Some(reason));
            let named = counts.bots.named(reason.as_str()).unwrap();
            assert_eq!(named.get(), 1, "{reason:?}");
        }
        assert_eq!(counts.places.named("no").unwrap().get(), BotReason::ALL.len() as u64);
    }
}
