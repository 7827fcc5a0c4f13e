//! How many came, when, from where, and what they looked at.

mod interval;
mod report;
mod sql;

use store::Server;
use wire::SiteName;

pub use interval::{Interval, IntervalError};
pub use report::{CountriesReport, Country, Page, PagesReport, Point, Totals, VisitorsReport};

use crate::query::{AskError, Filter, Range};

/// Rows of [`TopPages`] and [`Countries`] where nobody says.
pub const LIMIT_DEFAULT: u32 = 10;
/// Rows of [`TopPages`] and [`Countries`] that may be asked for.
pub const LIMIT_MAX: u32 = 1000;
/// Points of a time series: more than a screen is wide.
pub const POINTS_MAX: usize = 2000;

/// Visitors, sessions and page views over time.
#[derive(Clone, Debug)]
pub struct VisitorsOverTime {
    /// Of which site.
    pub site: SiteName,
    /// Over which time; where an end is open, from the first event or to the last.
    pub range: Range,
    /// The distance of the points; `None` chooses one that suits the range.
    pub interval: Option<Interval>,
    /// Which events are seen.
    pub filter: Filter,
}

impl VisitorsOverTime {
    /// Asks it.
    ///
    /// # Errors
    /// On more than [`POINTS_MAX`] points, and what the database says.
    pub async fn ask(&self, server: &Server) -> Result<VisitorsReport, AskError> {
        let whole: Vec<sql::WholeRow> = sql::whole(self).rows(server).await?;
        let whole = whole.into_iter().next().unwrap_or_default();
        let (from, to) = whole.extent(self.range);
        let interval = self.interval.unwrap_or_else(|| Interval::suiting(from, to));
        let starts = interval.starts(from, to, POINTS_MAX).map_err(|points| AskError::Points {
            points,
            points_max: POINTS_MAX,
            interval,
        })?;
        let rows = sql::over_time(self, interval).rows(server).await?;
        Ok(VisitorsReport::new(self, interval, &whole, &starts, rows))
    }
}

/// The pages viewed most.
#[derive(Clone, Debug)]
pub struct TopPages {
    /// Of which site.
    pub site: SiteName,
    /// Over which time.
    pub range: Range,
    /// How many pages; 1 to [`LIMIT_MAX`].
    pub limit: u32,
    /// Which page views are seen.
    pub filter: Filter,
}

impl TopPages {
    /// Asks it.
    ///
    /// # Errors
    /// On a limit beyond the bounds, and what the database says.
    pub async fn ask(&self, server: &Server) -> Result<PagesReport, AskError> {
        check(self.limit)?;
        let rows = sql::pages(self).rows(server).await?;
        Ok(PagesReport::new(self, rows))
    }
}

/// The countries most visitors came from.
#[derive(Clone, Debug)]
pub struct Countries {
    /// Of which site.
    pub site: SiteName,
    /// Over which time.
    pub range: Range,
    /// How many countries; 1 to [`LIMIT_MAX`].
    pub limit: u32,
    /// Which events are seen.
    pub filter: Filter,
}

impl Countries {
    /// Asks it.
    ///
    /// # Errors
    /// On a limit beyond the bounds, and what the database says.
    pub async fn ask(&self, server: &Server) -> Result<CountriesReport, AskError> {
        check(self.limit)?;
        let rows = sql::countries(self).rows(server).await?;
        Ok(CountriesReport::new(self, rows))
    }
}

fn check(limit: u32) -> Result<(), AskError> {
    if (1..=LIMIT_MAX).contains(&limit) {
        Ok(())
    } else {
        Err(AskError::Limit { limit: limit.into(), limit_max: LIMIT_MAX.into() })
    }
}
