//! The day's salt, as collectors share it. It is never part of a statement's text, which ClickHouse
//! writes into its log of queries.

use std::fmt;

use crate::event_row::VisitorSaltRow;
use crate::server::{QUESTION_TIMEOUT, Server, ServerError};
use crate::sql;

/// Bytes of a salt.
pub const SALT_BYTES: usize = 32;

/// Salts that are read at a time. There are two days' at most, and one more for every collector that
/// was there first as well.
const SALTS_MAX: u32 = 1000;

/// One day's salt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VisitorSalt {
    /// Days since 1970, UTC.
    pub day: u16,
    /// Random, and secret as long as it is there.
    pub salt: [u8; SALT_BYTES],
}

impl fmt::Debug for VisitorSalt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("VisitorSalt").field("day", &self.day).finish_non_exhaustive()
    }
}

/// What is there, by day; of several salts of a day the first is the one that holds.
///
/// # Errors
/// When ClickHouse cannot be asked.
pub async fn list(server: &Server) -> Result<Vec<VisitorSalt>, ServerError> {
    let found = server.client().query(sql::VISITOR_SALTS).bind(SALTS_MAX);
    let found = server.within(QUESTION_TIMEOUT, found.fetch_all::<VisitorSaltRow>()).await?;
    Ok(found.into_iter().map(|row| VisitorSalt { day: row.day, salt: row.salt }).collect())
}

/// Puts a salt to those that are there.
///
/// # Errors
/// When ClickHouse does not take it.
pub async fn publish(server: &Server, salt: VisitorSalt) -> Result<(), ServerError> {
    let write = async {
        let mut insert = server.client().insert::<VisitorSaltRow>("visitor_salts").await?;
        insert.write(&VisitorSaltRow { day: salt.day, salt: salt.salt }).await?;
        insert.end().await
    };
    server.within(QUESTION_TIMEOUT, write).await
}

/// Deletes the salts of the days before this one.
///
/// # Errors
/// When ClickHouse does not do it.
pub async fn destroy_before(server: &Server, day: u16) -> Result<(), ServerError> {
    let delete = server.client().query(sql::DESTROY_VISITOR_SALTS).bind(day);
    server.within(QUESTION_TIMEOUT, delete.execute()).await
}
