//! What visitors care about: the categories of the pages they saw, the recent ones weighing more.

mod report;
mod sql;

use std::time::Duration;

use jiff::Timestamp;
use store::Server;
use uuid::Uuid;
use wire::SiteName;

pub use report::{Interest, Report};

use crate::query::{AskError, Filter, Range};

/// How long ago a page view weighs half, where nobody says: a month.
pub const HALF_LIFE_DEFAULT: Duration = Duration::from_secs(30 * 24 * 3600);
/// How many interests are told where nobody says.
pub const LIMIT_DEFAULT: u32 = 10;
/// How many interests may be asked for.
pub const LIMIT_MAX: u32 = 1000;

/// The interests to ask about, of a site or of one visitor.
///
/// A page view of `age` weighs `0.5 ^ (age / half_life)`, and counts for each category of its page:
/// for `Shoes/Running` and for `Shoes`, each once.
#[derive(Clone, Debug)]
pub struct Interests {
    /// Of which site.
    pub site: SiteName,
    /// Of one visitor only.
    pub visitor: Option<Uuid>,
    /// How long ago a page view weighs half.
    pub half_life: Duration,
    /// How many interests, the strongest; 1 to [`LIMIT_MAX`].
    pub limit: u32,
    /// From when the age is told. Page views after it do not count.
    pub now: Timestamp,
    /// Over which time.
    pub range: Range,
    /// Which page views are seen.
    pub filter: Filter,
}

impl Interests {
    /// Asks it.
    ///
    /// # Errors
    /// On a half-life below a second, a limit beyond the bounds, and what the database says.
    pub async fn ask(&self, server: &Server) -> Result<Report, AskError> {
        if self.half_life < Duration::from_secs(1) {
            return Err(AskError::HalfLife);
        }
        if !(1..=LIMIT_MAX).contains(&self.limit) {
            let (limit, limit_max) = (self.limit.into(), LIMIT_MAX.into());
            return Err(AskError::Limit { limit, limit_max });
        }
        let interests = sql::question(self).rows(server).await?;
        Ok(Report::new(self, interests))
    }
}
