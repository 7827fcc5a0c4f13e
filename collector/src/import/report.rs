//! What came of an import, for the person who started it.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use store::EventRow;
use wire::SiteName;

/// Bad rows that are told one by one; the others are counted.
pub const BAD_ROWS_TOLD_MAX: usize = 20;

/// What came of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The events' site.
    pub site: SiteName,
    /// Rows of the file, without its header and blank lines.
    pub rows: u64,
    /// Rows that are events in ClickHouse now.
    pub events: u64,
    /// When the first and the last of these events happened, milliseconds since 1970.
    pub span: Option<(i64, i64)>,
    /// Events whose country no table knows; it is left empty.
    pub countries_unknown: u64,
    /// E-mail addresses in texts of these events, replaced by `[email]`.
    pub emails_replaced: u64,
    /// Card numbers likewise, replaced by `[card]`.
    pub cards_replaced: u64,
    /// How many rows were left out, by reason.
    pub left_out: BTreeMap<BadReason, u64>,
    /// The first [`BAD_ROWS_TOLD_MAX`] of them.
    pub bad: Vec<BadRow>,
}

/// A row that is no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// Where it begins in the file, from 1.
    pub line: u64,
    /// The column at fault, empty where it is the whole row.
    pub column: String,
    /// Why.
    pub reason: BadReason,
    /// What was wrong, for a person.
    pub problem: String,
}

/// The closed list of reasons for leaving a row out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BadReason {
    /// More or fewer texts than the header, or not UTF-8.
    RowMalformed,
    /// Not a time of the form the map says.
    TimeUnreadable,
    /// Before 1970.
    TimeTooOld,
    /// Ahead of the import.
    TimeInFuture,
    /// No visitor.
    VisitorMissing,
    /// No name.
    NameMissing,
    /// A name that would have to be cut, and then be another.
    NameTooLong,
    /// A person's id that would have to be cut, and then be another.
    UserTooLong,
    /// An address that is none.
    UrlInvalid,
    /// A user on the site's suppression list.
    PersonSuppressed,
}

impl BadReason {
    /// The stable tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::RowMalformed => "row_malformed",
            Self::TimeUnreadable => "time_unreadable",
            Self::TimeTooOld => "time_too_old",
            Self::TimeInFuture => "time_in_future",
            Self::VisitorMissing => "visitor_missing",
            Self::NameMissing => "name_missing",
            Self::NameTooLong => "name_too_long",
            Self::UserTooLong => "user_too_long",
            Self::UrlInvalid => "url_invalid",
            Self::PersonSuppressed => "person_suppressed",
        }
    }
}

/// A bad row whose line is yet to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bad {
    pub(super) column: String,
    pub(super) reason: BadReason,
    pub(super) problem: String,
}

impl Imported {
    pub(super) fn of(site: &SiteName) -> Self {
        Self {
            site: site.clone(),
            rows: 0,
            events: 0,
            span: None,
            countries_unknown: 0,
            emails_replaced: 0,
            cards_replaced: 0,
            left_out: BTreeMap::new(),
            bad: Vec::new(),
        }
    }

    /// Counts events that are stored.
    pub(super) fn count(&mut self, events: &[EventRow]) {
        self.events += events.len() as u64;
        for event in events {
            let (first, last) = self.span.unwrap_or((event.occurred_at, event.occurred_at));
            self.span = Some((first.min(event.occurred_at), last.max(event.occurred_at)));
        }
    }

    /// Whether a row was left out for what it is, and not for whom it is about.
    pub(super) fn has_bad_rows(&self) -> bool {
        self.left_out.keys().any(|reason| *reason != BadReason::PersonSuppressed)
    }

    pub(super) fn leave_out(&mut self, line: u64, bad: Bad) {
        *self.left_out.entry(bad.reason).or_default() += 1;
        if self.bad.len() < BAD_ROWS_TOLD_MAX {
            let Bad { column, reason, problem } = bad;
            self.bad.push(BadRow { line, column, reason, problem });
        }
    }
}

impl fmt::Display for Imported {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { site, rows, events, .. } = self;
        write!(out, "{rows} rows read, {events} events stored on the site {site}")?;
        match self.span {
            None => writeln!(out)?,
            Some((first, last)) => writeln!(out, ", from {} to {}", day(first), day(last))?,
        }
        if self.countries_unknown > 0 {
            writeln!(out, "{} countries are in no table and left empty", self.countries_unknown)?;
        }
        let (emails, cards) = (self.emails_replaced, self.cards_replaced);
        if emails + cards > 0 {
            writeln!(out, "{emails} e-mail addresses and {cards} card numbers replaced")?;
        }
        if self.left_out.is_empty() {
            return Ok(());
        }
        let left_out: u64 = self.left_out.values().sum();
        let reasons = self.left_out.iter().map(|(reason, rows)| format!("{} {rows}", reason.tag()));
        writeln!(out, "{left_out} rows left out: {}", reasons.collect::<Vec<_>>().join(", "))?;
        for bad in &self.bad {
            writeln!(out, "  {bad}")?;
        }
        match left_out.saturating_sub(self.bad.len() as u64) {
            0 => Ok(()),
            more => writeln!(out, "  and {more} more"),
        }
    }
}

impl fmt::Display for BadRow {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column.as_str() {
            "" => write!(out, "line {}: {}", self.line, self.problem),
            column => write!(out, "line {}, {}: {}", self.line, shown(column, 60), self.problem),
        }
    }
}

/// The day of a time, UTC.
fn day(millis: i64) -> String {
    Timestamp::from_millisecond(millis)
        .map_or_else(|_| millis.to_string(), |time| time.strftime("%Y-%m-%d").to_string())
}

/// A text of a file, short and safe to print on a terminal.
pub(super) fn shown(text: &str, chars_max: usize) -> String {
    let mut shown: String = text.chars().take(chars_max).flat_map(char::escape_debug).collect();
    if text.chars().nth(chars_max).is_some() {
        shown.push('…');
    }
    shown
}
