//! The tables as they are now, asked about some rows at a time.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use sha2::{Digest, Sha256};
use store::{EventRow, IdentifierRow, Server};
use uuid::Uuid;

use super::replay::ArchiveError;
use super::sql;
use crate::sink::{ClickHouseSink, Part, Sink};
use crate::spool::block::Table;
use crate::spool::row_binary;

const QUESTION_TIMEOUT: Duration = Duration::from_secs(60);

/// The table's rows of these events of one site, by their ids.
pub(super) async fn events(
    server: &Server,
    table: Table,
    rows: &[EventRow],
) -> Result<HashMap<Uuid, EventRow>, ArchiveError> {
    let Some(these) = These::of(rows) else { return Ok(HashMap::new()) };
    let question = these.bind(server.client().query(&sql::present(table)));
    let found = server.within(QUESTION_TIMEOUT, question.fetch_all::<EventRow>()).await?;
    Ok(found.into_iter().map(|row| (row.event_id, row)).collect())
}

/// Takes these events of one site out of the table.
pub(super) async fn remove(
    server: &Server,
    table: Table,
    rows: &[EventRow],
) -> Result<(), ArchiveError> {
    let Some(these) = These::of(rows) else { return Ok(()) };
    let question = these.bind(server.client().query(&sql::remove(table)));
    Ok(server.within(QUESTION_TIMEOUT, question.execute()).await?)
}

/// The events of some rows of one site.
struct These<'a> {
    site: &'a str,
    first: i64,
    last: i64,
    ids: Vec<String>,
}

impl<'a> These<'a> {
    fn of(rows: &'a [EventRow]) -> Option<Self> {
        let times = rows.iter().map(|row| row.occurred_at);
        Some(Self {
            site: &rows.first()?.site,
            first: times.clone().min()?,
            last: times.max()?,
            ids: rows.iter().map(|row| row.event_id.to_string()).collect(),
        })
    }

    fn bind(&self, question: clickhouse::query::Query) -> clickhouse::query::Query {
        question.bind(self.site).bind(self.first).bind(self.last).bind(&self.ids)
    }
}

/// What identifies a row of `identifiers`, and when it was told.
pub(super) type Told = (String, Uuid, String, String);

/// Which of these facts, all of one site, the table has as new as they are here.
pub(super) async fn identifiers(
    server: &Server,
    rows: &[IdentifierRow],
) -> Result<HashMap<Told, i64>, ArchiveError> {
    let Some(row) = rows.first() else { return Ok(HashMap::new()) };
    let visitors: HashSet<_> = rows.iter().map(|row| row.visitor_id.to_string()).collect();
    let visitors: Vec<_> = visitors.into_iter().collect();
    let question = server.client().query(sql::IDENTIFIERS).bind(&row.site).bind(visitors);
    let found = server.within(QUESTION_TIMEOUT, question.fetch_all::<IdentifierRow>()).await?;
    Ok(found.into_iter().map(|row| (told(&row), row.occurred_at)).collect())
}

pub(super) fn told(row: &IdentifierRow) -> Told {
    (row.site.clone(), row.visitor_id, row.kind.clone(), row.value.clone())
}

/// Puts rows in, under a token made of the rows and of `run`: the very same are put in once.
pub(super) async fn insert<R: serde::Serialize>(
    server: &Server,
    table: Table,
    run: &str,
    rows: &[R],
) -> Result<(), ArchiveError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut digest = Sha256::new();
    let mut bytes = Vec::with_capacity(rows.len());
    for row in rows {
        let mut stored = Vec::new();
        row_binary::write(&mut stored, row)?;
        digest.update(&stored);
        bytes.push(stored);
    }
    let columns: Vec<_> = table.columns().iter().map(ToString::to_string).collect();
    let rows: Vec<_> = bytes.iter().map(Vec::as_slice).collect();
    let digest = hex::encode(digest.finalize());
    let token = format!("replay-{}-{run}{digest}", table.name());
    let part = Part { table, columns: &columns, token, rows: &rows, native: None };
    Ok(ClickHouseSink::new(server).insert(&part).await?)
}
