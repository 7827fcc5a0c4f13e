//! What an import did.

use std::collections::BTreeMap;
use std::fmt;

use crate::validate::DropReason;

/// Bad rows that are named; all are counted.
const NAMED_MAX: usize = 20;

/// Why a row gave no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowReason {
    /// It has another number of fields than the header, or is no UTF-8.
    RowMalformed,
    /// Its time is none.
    TimeUnreadable,
    /// It would be left out of a batch too.
    Dropped(DropReason),
}

impl RowReason {
    /// The stable tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::RowMalformed => "row_malformed",
            Self::TimeUnreadable => "time_unreadable",
            Self::Dropped(reason) => reason.tag(),
        }
    }
}

impl From<DropReason> for RowReason {
    fn from(reason: DropReason) -> Self {
        Self::Dropped(reason)
    }
}

/// A row that gave no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// Its line in the file, the header being line 1.
    pub line: u64,
    /// Why.
    pub reason: RowReason,
}

/// The report of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Rows read.
    pub rows: u64,
    /// Events that ClickHouse has now; those it had before count too.
    pub events: u64,
    /// Rows that gave none, by the reason's tag.
    pub dropped: BTreeMap<&'static str, u64>,
    /// The first twenty of them.
    pub bad_rows: Vec<BadRow>,
}

impl Imported {
    pub(super) fn bad(&mut self, line: u64, reason: RowReason) {
        *self.dropped.entry(reason.tag()).or_default() += 1;
        if self.bad_rows.len() < NAMED_MAX {
            self.bad_rows.push(BadRow { line, reason });
        }
    }
}

impl fmt::Display for Imported {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{} rows read, {} events stored", self.rows, self.events)?;
        for (reason, count) in &self.dropped {
            writeln!(out, "{count} rows left out: {reason}")?;
        }
        for bad in &self.bad_rows {
            writeln!(out, "  line {}: {}", bad.line, bad.reason.tag())?;
        }
        Ok(())
    }
}
