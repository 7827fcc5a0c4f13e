//! The overview questions' answers.

use serde::Serialize;
use wire::SiteName;

use super::sql::{EventNameRow, SiteRow};
use super::{EventNames, Sites};
use crate::query::{Range, Table};
use crate::traffic::Totals;

/// Site by site, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SitesReport {
    /// Over which time.
    pub range: Range,
    /// Each site that has events in it.
    pub sites: Vec<SiteFigures>,
}

/// What came to one site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SiteFigures {
    /// The site.
    pub site: String,
    /// Of the whole range.
    pub totals: Totals,
}

impl SitesReport {
    pub(super) fn new(asked: &Sites, rows: Vec<SiteRow>) -> Self {
        let sites = rows.into_iter().map(|row| {
            let SiteRow { site, visitors, sessions, page_views } = row;
            SiteFigures { site, totals: Totals { visitors, sessions, page_views } }
        });
        Self { range: asked.range, sites: sites.collect() }
    }

    /// The answer as text.
    #[must_use]
    pub fn table(&self) -> Table {
        let rows = self.sites.iter().map(|row| {
            let Totals { visitors, sessions, page_views } = row.totals;
            [row.site.clone(), visitors.to_string(), sessions.to_string(), page_views.to_string()]
        });
        Table::new(["site", "visitors", "sessions", "page_views"], rows)
    }
}

/// A site's events by name, those of most visitors first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventNamesReport {
    /// Of which site.
    pub site: SiteName,
    /// Over which time.
    pub range: Range,
    /// Name by name.
    pub events: Vec<EventName>,
}

/// A name, and how often it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventName {
    /// As a funnel's step or a rule says it, but for quotes.
    pub name: String,
    /// How many events have it.
    pub events: u64,
    /// Of how many visitors.
    pub visitors: u64,
}

impl EventNamesReport {
    pub(super) fn new(asked: &EventNames, rows: Vec<EventNameRow>) -> Self {
        let events = rows.into_iter().map(|row| {
            let EventNameRow { name, events, visitors } = row;
            EventName { name, events, visitors }
        });
        Self { site: asked.site.clone(), range: asked.range, events: events.collect() }
    }

    /// The answer as text.
    #[must_use]
    pub fn table(&self) -> Table {
        let rows = self.events.iter().map(|event| {
            [event.name.clone(), event.events.to_string(), event.visitors.to_string()]
        });
        Table::new(["name", "events", "visitors"], rows)
    }
}
