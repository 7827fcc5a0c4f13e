//! How many go how far along a way of steps, in order and within a time.

mod report;
mod sql;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Serialize, Serializer};
use store::Server;
use wire::SiteName;

use ::segment::{Condition, ParseError};

pub use report::{Report, StepReport};

use crate::query::{AskError, DurationError, Filter, Range, parse_duration, show_duration};

/// Steps of one funnel: what ClickHouse's `windowFunnel` takes.
pub const STEPS_MAX: usize = 32;

/// A funnel to ask about.
///
/// Whoever is counted at a step did the steps before it, in order, all within the window after the
/// first; other events between do not matter, and one event is one step even where it meets several. Of two
/// events in the same millisecond either may have been first.
#[derive(Clone, Debug)]
pub struct Funnel {
    /// Of which site.
    pub site: SiteName,
    /// What is done, in order; 1 to [`STEPS_MAX`].
    pub steps: Vec<Step>,
    /// How long after the first step the last may come.
    pub window: Window,
    /// What is counted.
    pub by: By,
    /// Over which time; all steps must lie in it.
    pub range: Range,
    /// Which events are seen.
    pub filter: Filter,
}

impl Funnel {
    /// Asks it.
    ///
    /// # Errors
    /// On a number of steps beyond the bounds, and what the database says.
    pub async fn ask(&self, server: &Server) -> Result<Report, AskError> {
        if !(1..=STEPS_MAX).contains(&self.steps.len()) {
            return Err(AskError::Steps { steps: self.steps.len(), steps_max: STEPS_MAX });
        }
        let furthest = sql::question(self).rows(server).await?;
        Ok(Report::new(self, &furthest))
    }
}

/// One step: an event and what must hold of it, for example `product_view`, `checkout/shipping` or
/// `page_view where path = "/cart"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step(pub Condition);

impl FromStr for Step {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Ok(Self(text.parse()?))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}

/// How long after the first step the last may come; `None` is however long. Exact to the millisecond, and
/// the last moment belongs to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window(pub Option<Duration>);

impl FromStr for Window {
    type Err = DurationError;

    /// Reads `30m`, `1d` or `none`.
    fn from_str(text: &str) -> Result<Self, DurationError> {
        if text.trim() == "none" {
            return Ok(Self(None));
        }
        Ok(Self(Some(parse_duration(text)?)))
    }
}

impl fmt::Display for Window {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(duration) => out.write_str(&show_duration(duration)),
            None => out.write_str("none"),
        }
    }
}

impl Serialize for Window {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a funnel counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Visitors: the steps may lie in several sessions.
    #[default]
    Visitor,
    /// Sessions: all steps in one.
    Session,
    /// Known ids: the steps may lie in several browsers. Events without a known id are not seen.
    User,
}

impl By {
    /// Each, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::Visitor, Self::Session, Self::User];

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Session => "session",
            Self::User => "user",
        }
    }
}

impl fmt::Display for By {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// A text that is not a [`By`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a funnel counts by visitor, session or user")]
pub struct ByError;

impl FromStr for By {
    type Err = ByError;

    fn from_str(text: &str) -> Result<Self, ByError> {
        Self::ALL.into_iter().find(|by| by.as_str() == text.trim()).ok_or(ByError)
    }
}
