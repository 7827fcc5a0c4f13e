//! Events from a file: what happened before Footfall, or where no tracker runs.
//!
//! The way of a file: `input` gives rows as texts, `row` makes events of them by the `map`, `block`
//! puts them into ClickHouse, `report` says what came of it. Nothing waits on the spool: the file itself
//! is the copy that survives, and importing it again adds nothing.

mod block;
mod error;
mod identity;
mod input;
mod map;
mod report;
mod row;
#[cfg(test)]
mod tests;
mod time;

pub use error::ImportError;
pub use map::{Map, MapError};
pub use report::{BAD_ROWS_TOLD_MAX, BadReason, BadRow, Imported};
pub use time::TimeFormError;

use std::io::BufRead;

use jiff::Timestamp;
use store::Server;
use wire::SiteName;

use block::Block;
use input::Table;
use row::Rows;

use crate::suppressed::Suppressed;

/// How often [`import_events`] tells its progress, in rows.
const PROGRESS_ROWS: u64 = 1000;

/// Reads events from a CSV file with a header row, plain or gzip, and stores them under the site.
///
/// An event's id follows from the site and the row's text, so that the same row twice, in the same
/// file imported again or in another, is one event. Rows of one file that are alike are told apart by
/// their number, as far back as the last half million different rows.
/// Rows that cannot be events are left out and told, and so are those of a user on the site's suppression
/// list. Whatever the file does not say stays empty: no consent, no place is assumed. What looks like an e-mail address or a card's number in a text is
/// replaced, as in what is sent to the collector.
///
/// The file is read on the thread of whoever waits for this; at most a block of rows is in memory.
/// `progress` is told the number of rows read.
///
/// # Errors
/// [`ImportError`]: each says what to do. After one, blocks that were written before stay; importing
/// again completes them.
pub async fn import_events(
    input: impl BufRead,
    map: &Map,
    site: &SiteName,
    server: &Server,
    mut progress: impl FnMut(u64),
) -> Result<Imported, ImportError> {
    check_site(server, site).await?;
    let received_at = Timestamp::now().as_millisecond();
    let suppressed = Suppressed::read(server).await.map_err(ImportError::Suppressed)?;
    let mut table = Table::open(input)?;
    let mut rows = Rows::new(map, site, table.header(), received_at)?;
    let mut imported = Imported::of(site);
    let mut block = Block::new(received_at);
    while let Some(record) = table.next()? {
        imported.rows += 1;
        let event = rows.event(record.fields);
        match event.and_then(|event| rows.unless_suppressed(event, &suppressed)) {
            Ok(event) => block.push(event, record.bytes),
            Err(bad) => imported.leave_out(record.line, bad),
        }
        if block.is_full() {
            imported.count(&block.write(server, record.line).await?);
        }
        if imported.rows.is_multiple_of(PROGRESS_ROWS) {
            progress(imported.rows);
        }
    }
    imported.count(&block.write(server, table.line()).await?);
    imported.countries_unknown = rows.countries_unknown();
    imported.emails_replaced = rows.scrubbed().emails.into();
    imported.cards_replaced = rows.scrubbed().cards.into();
    progress(imported.rows);
    if imported.events == 0 && imported.has_bad_rows() {
        return Err(ImportError::EveryRowBad(Box::new(imported)));
    }
    Ok(imported)
}

/// A misspelt name would fill a site that nobody looks at.
async fn check_site(server: &Server, site: &SiteName) -> Result<(), ImportError> {
    match store::site::find(server, site).await.map_err(ImportError::Sites)? {
        Some(_) => Ok(()),
        None => Err(ImportError::SiteUnknown { site: site.clone() }),
    }
}
