//! A sink that keeps rows in memory and fails on command, for tests of the way out.

use std::sync::Mutex;

use super::{Part, Sink};
use crate::error::SinkError;

/// Keeps the token and the rows of every try, is away for the first ones, and refuses parts in which a
/// row ends with "bad".
#[derive(Debug, Default)]
pub(super) struct MemorySink {
    pub(super) away_for: Mutex<u32>,
    /// How often it does not even answer, once it has failed.
    pub(super) silent_for: Mutex<u32>,
    pub(super) tries: Mutex<Vec<(String, Vec<Vec<u8>>)>>,
}

impl Sink for MemorySink {
    async fn insert(&self, part: &Part<'_>) -> Result<(), SinkError> {
        let rows: Vec<_> = part.rows.iter().map(|row| row.to_vec()).collect();
        let bad = rows.iter().any(|row| row.ends_with(b"bad"));
        self.tries.lock().unwrap().push((part.token.clone(), rows));
        let mut away_for = self.away_for.lock().unwrap();
        if let Some(left) = away_for.checked_sub(1) {
            *away_for = left;
            return Err(SinkError::Retry(clickhouse::error::Error::TimedOut));
        }
        if bad { refusal() } else { Ok(()) }
    }

    async fn answers(&self) -> Result<(), SinkError> {
        let mut silent_for = self.silent_for.lock().unwrap();
        let Some(left) = silent_for.checked_sub(1) else { return Ok(()) };
        *silent_for = left;
        Err(SinkError::Retry(clickhouse::error::Error::TimedOut))
    }
}

fn refusal() -> Result<(), SinkError> {
    let error = clickhouse::error::Error::BadResponse("Code: 33. no".to_owned());
    Err(SinkError::Reject(error))
}
