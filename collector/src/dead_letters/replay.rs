//! A dead letter put in after all, once.

use std::borrow::Borrow;
use std::io;

use serde_json::value::RawValue;
use store::{Server, ServerError};
use wire::{Event, FromObject};

use super::letter::Stored;
use super::{DeadLetters, Letter, RowError};
use crate::cookieless::Visitor;
use crate::enrich::{EnrichedEvent, Scrubbed, Visit};
use crate::error::{Rejection, SinkError};
use crate::sink::{ClickHouseSink, Part, Sink};
use crate::spool::block::Table;
use crate::spool::{row_binary, row_reader};
use crate::suppressed::Suppressed;
use crate::validate::{self, DropReason, ReferrerSpam, Times, flatten};

/// Why a letter stays where it is.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Its row is none.
    #[error(transparent)]
    Row(#[from] RowError),
    /// Its event is none.
    #[error("what was left out is still no event")]
    Event(#[source] serde_json::Error),
    /// Whether it is about a suppressed person cannot be told.
    #[error("the row is of another release, replay it with that one: {0}")]
    OtherRelease(String),
    /// Its row is about a person who was suppressed since.
    #[error("left out again as person_suppressed ({field})")]
    Suppressed {
        /// What names the person.
        field: &'static str,
    },
    /// Its event is left out again.
    #[error("left out again as {} ({})", .0.tag(), .0.field())]
    Dropped(DropReason),
    /// There is no such site any more.
    #[error(transparent)]
    Site(#[from] Rejection),
    /// What must be known of the site cannot be read.
    #[error("cannot read the sites and the suppressed persons")]
    Server(#[from] ServerError),
    /// ClickHouse is away, or refuses the row again.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The row is in ClickHouse, but the letter could not be taken away. Replaying it again does no harm.
    #[error("the row is in ClickHouse, but its letter cannot be removed")]
    Remove(#[source] io::Error),
}

/// Puts letters in, one after the other.
#[derive(Debug)]
pub struct Replayer<'a> {
    server: &'a Server,
    /// Read where it has changed since the letter before, and not for each: it may have a million entries.
    suppressed: Suppressed,
}

impl<'a> Replayer<'a> {
    /// Into this ClickHouse, of which nothing is asked yet.
    #[must_use]
    pub fn new(server: &'a Server) -> Self {
        Self { server, suppressed: Suppressed::unread() }
    }

    /// Puts the letter's row in, or the mended row in its place, and takes the letter away. Of an event that
    /// was left out, validation and enrichment are done again first, as of when it came. The same row is put
    /// in under the same token however often this is tried, so it counts once.
    ///
    /// # Errors
    /// When the letter stays; see [`ReplayError`].
    pub async fn replay(
        &self,
        dead: &DeadLetters,
        letter: &Letter,
        mended: Option<&RawValue>,
    ) -> Result<(), ReplayError> {
        self.suppressed.refresh(self.server).await?;
        let sink = ClickHouseSink::new(self.server);
        if let Some(event) = &letter.event {
            let event = mended.unwrap_or(event);
            let rows = rows(self.server, &self.suppressed, letter, event).await?;
            for (table, bytes) in rows {
                let columns: Vec<_> = table.columns().iter().map(ToString::to_string).collect();
                let token =
                    format!("{}-{}-{:08x}", letter.token, table.name(), crc32fast::hash(&bytes));
                let rows = [bytes.as_slice()];
                sink.insert(&Part { table, columns: &columns, token, rows: &rows, native: None })
                    .await?;
            }
            return dead.remove(&letter.id).map_err(ReplayError::Remove);
        }
        let stored = letter.stored(mended)?;
        check_person(&stored, &self.suppressed)?;
        let as_it_was = mended.is_none() || letter.stored(None)?.bytes == stored.bytes;
        let token = if as_it_was {
            letter.token.clone()
        } else {
            format!("{}-{:08x}", letter.token, crc32fast::hash(&stored.bytes))
        };
        let rows = [stored.bytes.as_slice()];
        let (table, columns) = (stored.table, &stored.columns);
        sink.insert(&Part { table, columns, token, rows: &rows, native: None }).await?;
        dead.remove(&letter.id).map_err(ReplayError::Remove)
    }
}

/// Leaves out the row of a person who was suppressed after it was refused.
fn check_person(stored: &Stored, suppressed: &Suppressed) -> Result<(), ReplayError> {
    if suppressed.is_empty() {
        return Ok(());
    }
    let Stored { table, columns, bytes } = stored;
    let (read, field) = match table {
        Table::Events | Table::BotEvents => {
            let row = row_reader::read_columns(columns, bytes);
            (row.map(|row| suppressed.names_stored(&row)), "user")
        }
        Table::Identifiers => {
            let row = row_reader::read_columns(columns, bytes);
            (row.map(|row| suppressed.holds_stored(&row)), "properties")
        }
    };
    match read {
        Ok(false) => Ok(()),
        Ok(true) => Err(ReplayError::Suppressed { field }),
        Err(error) => Err(ReplayError::OtherRelease(error.to_string())),
    }
}

/// The rows of an event that was left out, were it taken now.
async fn rows(
    server: &Server,
    suppressed: &Suppressed,
    letter: &Letter,
    event: &RawValue,
) -> Result<Vec<(Table, Vec<u8>)>, ReplayError> {
    let sites = crate::sites::table(&store::site::list(server).await?);
    let site = sites.find(&letter.site)?;
    let found = letter.visit.clone().unwrap_or_default();
    let received_at = letter.refused_at.as_millisecond();
    let FromObject(event): FromObject<Event<'_, &RawValue>> =
        serde_json::from_str(event.get()).map_err(ReplayError::Event)?;
    let times = Times::of_batch(found.sent_at, received_at);
    let visit = Visit::of_the_past(&site.rules, &found.country);
    // Segment's identify may be of the visitor alone, and the letter does not tell which API it came by.
    let was_nameless = letter.reason == DropReason::UserMissing.tag();
    let check = if was_nameless { validate::event } else { validate::maybe_nameless };
    // An id of the day was put in place of the sent one when the event was kept.
    let valid = flatten(event.properties.as_ref().map(Borrow::borrow))
        .and_then(|properties| check(&event, properties, &times, &Visitor::Sent))
        .map_err(ReplayError::Dropped)?;
    let event = EnrichedEvent::new(valid, &visit);
    if !site.allows_page(&event.page.host) {
        return Err(ReplayError::Dropped(DropReason::HostNotAllowed));
    }
    let identifiers = event.identifiers.as_slice();
    if suppressed.named_by(&site.name, event.event.user, identifiers).is_some() {
        return Err(ReplayError::Dropped(DropReason::PersonSuppressed));
    }
    let spam = ReferrerSpam::open(true, None);
    let unwanted = site.excludes_page(&event.page.host, event.page.path).or_else(|| {
        let elsewhere = event.referrer_host != event.page.host;
        elsewhere.then(|| site.excludes_referrer(&event.referrer_host, &spam))?
    });
    if let Some(reason) = unwanted {
        return Err(ReplayError::Dropped(reason));
    }
    let identifiers: Vec<_> = event.identifier_rows(&site.name, received_at).collect();
    let mut row = event.into_event_row(&site.name, received_at);
    found.put(&mut row);
    Scrubbed::default().row(&mut row);
    let table = if row.bot_reason.is_empty() { Table::Events } else { Table::BotEvents };
    let mut rows = Vec::new();
    if table == Table::Events {
        for row in &identifiers {
            rows.push((Table::Identifiers, stored(row)?));
        }
    }
    rows.push((table, stored(&row)?));
    Ok(rows)
}

fn stored(row: &impl serde::Serialize) -> Result<Vec<u8>, RowError> {
    let mut bytes = Vec::new();
    row_binary::write(&mut bytes, row)?;
    Ok(bytes)
}
