//! What is asked of the tables before archived rows are put into them, and what is taken out of them.

use crate::spool::block::Table;

/// Which rows of these events. Bound: the site, the first and the last time in milliseconds, and the ids as
/// texts.
const OF_THESE: &str = "site = ? AND occurred_at >= fromUnixTimestamp64Milli(?, 'UTC') \
     AND occurred_at <= fromUnixTimestamp64Milli(?, 'UTC') AND event_id IN ?";

/// The rows of these events as the table has them now.
pub(super) fn present(table: Table) -> String {
    format!("SELECT ?fields FROM {} FINAL WHERE {OF_THESE}", table.name())
}

/// Takes these events out of the table.
pub(super) fn remove(table: Table) -> String {
    format!("DELETE FROM {} WHERE {OF_THESE}", table.name())
}

/// What the table knows of these visitors. Bound: the site, and the visitors as texts.
pub(super) const IDENTIFIERS: &str =
    "SELECT ?fields FROM identifiers FINAL WHERE site = ? AND visitor_id IN ?";
