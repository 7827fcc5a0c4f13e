//! Which visitors a rule means.

mod report;
mod sql;

use jiff::Timestamp;
use store::Server;
use uuid::Uuid;
use wire::SiteName;

use ::segment::Rule;

pub use report::Report;

use crate::query::{AskError, Limits, Question};

/// A segment to ask about: the visitors of a site who at `now` are meant by the rule. All events up to
/// `now` are looked at (its whole second belongs to them); a rule's windows reach back from it.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Of which site.
    pub site: SiteName,
    /// Who is meant.
    pub rule: Rule,
    /// When.
    pub now: Timestamp,
}

impl Segment {
    /// How many visitors there are.
    ///
    /// # Errors
    /// What the database says.
    pub async fn ask(&self, server: &Server) -> Result<Report, AskError> {
        let counted: Vec<u64> = sql::count(self).rows(server).await?;
        Ok(Report::new(self, counted.first().copied().unwrap_or(0)))
    }

    /// The first `limit` of the visitors, by id; at most [`Limits::ROWS`].
    ///
    /// # Errors
    /// On a limit beyond the bounds, and what the database says.
    pub async fn members(&self, server: &Server, limit: u64) -> Result<Vec<Uuid>, AskError> {
        if !(1..=Limits::ROWS).contains(&limit) {
            return Err(AskError::Limit { limit, limit_max: Limits::ROWS });
        }
        let members: Vec<sql::Member> = sql::members(self, Some(limit)).rows(server).await?;
        Ok(members.into_iter().map(|member| member.visitor_id).collect())
    }

    /// The `SELECT` of all visitors' ids (`visitor_id`, unordered), to stand in a larger question in
    /// parentheses. Its parameters' names begin with `segment_`.
    #[must_use]
    pub fn members_question(&self) -> Question {
        sql::members(self, None)
    }
}
