//! Who must never leave, as the collector reads it: hashes only.

use clickhouse::Row;
use serde::Deserialize;

use crate::server::{QUESTION_TIMEOUT, Server, ServerError};
use crate::sql;

/// Tells one state of the list from another, without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct Version {
    rows: u64,
    latest: i64,
}

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct Suppressed<'a> {
    /// Whose list.
    pub site: &'a str,
    /// As in `identifiers`, or `user`.
    pub kind: &'a str,
    /// As in `identifiers`: a hash; of a `user` the SHA-256 of the id, in hexadecimal digits.
    pub value: &'a str,
}

/// The list's state now.
///
/// # Errors
/// When ClickHouse cannot be asked.
pub async fn version(server: &Server) -> Result<Version, ServerError> {
    let version = server.client().query(sql::SUPPRESSIONS_VERSION).fetch_one::<Version>();
    server.within(QUESTION_TIMEOUT, version).await
}

/// Gives every entry of every site to `take`, the newest first, at most so many.
///
/// # Errors
/// When ClickHouse cannot be asked.
pub async fn each(
    server: &Server,
    entries_max: u64,
    mut take: impl FnMut(Suppressed<'_>),
) -> Result<(), ServerError> {
    let question = server.client().query(sql::SUPPRESSIONS).bind(entries_max);
    let read = async {
        let mut entries = question.fetch::<Suppressed<'_>>()?;
        while let Some(entry) = entries.next().await? {
            take(entry);
        }
        Ok(())
    };
    server.within(QUESTION_TIMEOUT, read).await
}
