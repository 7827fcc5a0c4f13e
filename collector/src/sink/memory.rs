//! A sink that keeps rows in memory and fails on command, for tests of the way out.

use std::sync::Mutex;

use super::clickhouse::classify;
use super::{Part, Sink};
use crate::error::SinkError;

/// Keeps the token and the rows of every try, is away for the first ones, and refuses parts in which a
/// row ends with "bad".
#[derive(Debug)]
pub(super) struct MemorySink {
    pub(super) away_for: Mutex<u32>,
    /// How often it does not even answer, once it has failed.
    pub(super) silent_for: Mutex<u32>,
    pub(super) tries: Mutex<Vec<(String, Vec<Vec<u8>>)>>,
    /// ClickHouse's code for parts that it refuses.
    pub(super) refuses_with: u32,
    /// How many of them; all where none is said.
    pub(super) refused_for: Mutex<Option<u32>>,
}

impl Default for MemorySink {
    fn default() -> Self {
        Self {
            away_for: Mutex::default(),
            silent_for: Mutex::default(),
            tries: Mutex::default(),
            refuses_with: 33,
            refused_for: Mutex::default(),
        }
    }
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
        if bad && self.still_refuses() { Err(self.refusal()) } else { Ok(()) }
    }

    async fn answers(&self) -> Result<(), SinkError> {
        let mut silent_for = self.silent_for.lock().unwrap();
        let Some(left) = silent_for.checked_sub(1) else { return Ok(()) };
        *silent_for = left;
        Err(SinkError::Retry(clickhouse::error::Error::TimedOut))
    }
}

impl MemorySink {
    fn still_refuses(&self) -> bool {
        let mut refused_for = self.refused_for.lock().unwrap();
        let Some(left) = refused_for.as_mut() else { return true };
        let refuses = *left > 0;
        *left = left.saturating_sub(1);
        refuses
    }

    fn refusal(&self) -> SinkError {
        classify(clickhouse::error::Error::BadResponse(format!("Code: {}. no", self.refuses_with)))
    }
}
