//! A segment's answer.

use jiff::Timestamp;
use serde::Serialize;
use wire::SiteName;

use super::Segment;
use crate::query::Table;

/// How many visitors a rule means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Of which site.
    pub site: SiteName,
    /// Who is meant, as the rule reads back.
    pub rule: String,
    /// When.
    pub now: Timestamp,
    /// How many there are.
    pub visitors: u64,
}

impl Report {
    pub(super) fn new(asked: &Segment, visitors: u64) -> Self {
        Self { site: asked.site.clone(), rule: asked.rule.to_string(), now: asked.now, visitors }
    }

    /// The answer as text.
    #[must_use]
    pub fn table(&self) -> Table {
        Table::new(["rule", "visitors"], [[self.rule.clone(), self.visitors.to_string()]])
    }
}
