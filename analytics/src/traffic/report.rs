//! The traffic questions' answers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use wire::SiteName;

use super::sql::{CountryRow, PageRow, PointRow, WholeRow};
use super::{Countries, Interval, TopPages, VisitorsOverTime};
use crate::query::{Range, Table};

/// Visitors, sessions and page views over time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VisitorsReport {
    /// Of which site.
    pub site: SiteName,
    /// Over which time, as it was asked for.
    pub range: Range,
    /// The distance of the points.
    pub interval: Interval,
    /// Of the whole range. Visitors are fewer than the points' sum: who comes on two days is one visitor.
    pub totals: Totals,
    /// Without gaps: an interval without events has zeros.
    pub points: Vec<Point>,
}

/// What came in the whole range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// How many visitors.
    pub visitors: u64,
    /// How many sessions.
    pub sessions: u64,
    /// How many page views.
    pub page_views: u64,
}

/// What came in one interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Point {
    /// The interval's first moment.
    pub at: Timestamp,
    /// How many visitors.
    pub visitors: u64,
    /// How many sessions.
    pub sessions: u64,
    /// How many page views.
    pub page_views: u64,
}

impl VisitorsReport {
    pub(super) fn new(
        asked: &VisitorsOverTime,
        interval: Interval,
        whole: &WholeRow,
        starts: &[Timestamp],
        rows: Vec<PointRow>,
    ) -> Self {
        let rows: BTreeMap<i64, PointRow> = rows.into_iter().map(|row| (row.at, row)).collect();
        let points = starts.iter().map(|at| {
            let row = rows.get(&at.as_second());
            Point {
                at: *at,
                visitors: row.map_or(0, |row| row.visitors),
                sessions: row.map_or(0, |row| row.sessions),
                page_views: row.map_or(0, |row| row.page_views),
            }
        });
        let WholeRow { visitors, sessions, page_views, .. } = *whole;
        Self {
            site: asked.site.clone(),
            range: asked.range,
            interval,
            totals: Totals { visitors, sessions, page_views },
            points: points.collect(),
        }
    }

    /// The answer as text.
    #[must_use]
    pub fn table(&self) -> Table {
        let rows = self.points.iter().map(|point| {
            let Point { at, visitors, sessions, page_views } = point;
            [at.to_string(), visitors.to_string(), sessions.to_string(), page_views.to_string()]
        });
        Table::new(["at", "visitors", "sessions", "page_views"], rows)
    }
}

/// The pages viewed most, the first one most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PagesReport {
    /// Of which site.
    pub site: SiteName,
    /// Over which time.
    pub range: Range,
    /// Page by page.
    pub pages: Vec<Page>,
}

/// One page and how often it was viewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page {
    /// Its host.
    pub host: String,
    /// Its path.
    pub path: String,
    /// Its latest title.
    pub title: String,
    /// How often it was viewed.
    pub page_views: u64,
    /// By how many visitors.
    pub visitors: u64,
}

impl PagesReport {
    pub(super) fn new(asked: &TopPages, rows: Vec<PageRow>) -> Self {
        let pages = rows.into_iter().map(|row| {
            let PageRow { host, path, title, page_views, visitors } = row;
            Page { host, path, title, page_views, visitors }
        });
        Self { site: asked.site.clone(), range: asked.range, pages: pages.collect() }
    }

    /// The answer as text.
    #[must_use]
    pub fn table(&self) -> Table {
        let rows = self.pages.iter().map(|page| {
            [
                page.host.clone(),
                page.path.clone(),
                page.title.clone(),
                page.page_views.to_string(),
                page.visitors.to_string(),
            ]
        });
        Table::new(["host", "path", "title", "page_views", "visitors"], rows)
    }
}

/// The countries most visitors came from, the first one most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CountriesReport {
    /// Of which site.
    pub site: SiteName,
    /// Over which time.
    pub range: Range,
    /// Country by country.
    pub countries: Vec<Country>,
}

/// One country and who came from it. A visitor who came from two is counted in both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Country {
    /// ISO 3166-1 alpha-2, empty where unknown.
    pub country: String,
    /// How many visitors.
    pub visitors: u64,
    /// How many sessions.
    pub sessions: u64,
    /// How many page views.
    pub page_views: u64,
}

impl CountriesReport {
    pub(super) fn new(asked: &Countries, rows: Vec<CountryRow>) -> Self {
        let countries = rows.into_iter().map(|row| {
            let CountryRow { country, visitors, sessions, page_views } = row;
            Country { country, visitors, sessions, page_views }
        });
        Self { site: asked.site.clone(), range: asked.range, countries: countries.collect() }
    }

    /// The answer as text.
    #[must_use]
    pub fn table(&self) -> Table {
        let rows = self.countries.iter().map(|row| {
            let Country { country, visitors, sessions, page_views } = row;
            [country.clone(), visitors.to_string(), sessions.to_string(), page_views.to_string()]
        });
        Table::new(["country", "visitors", "sessions", "page_views"], rows)
    }
}
