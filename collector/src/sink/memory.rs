//! A sink that keeps rows in memory and fails on command, for tests of the way out.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::Sink;
use crate::error::SinkError;
use crate::spool::block::{Block, Table};

/// What the next insert answers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    Retry,
    Reject,
}

/// Keeps the token and the rows of every try, and answers with the planned failures first.
#[derive(Debug, Default)]
pub(super) struct MemorySink {
    pub(super) planned: Mutex<VecDeque<Outcome>>,
    pub(super) tries: Mutex<Vec<(String, Vec<Vec<u8>>)>>,
}

impl Sink for MemorySink {
    async fn insert(&self, block: &Block) -> Result<(), SinkError> {
        let rows = block.rows(Table::Events).map(<[u8]>::to_vec).collect();
        self.tries.lock().unwrap().push((block.token(Table::Events), rows));
        match self.planned.lock().unwrap().pop_front() {
            None => Ok(()),
            Some(Outcome::Retry) => Err(SinkError::Retry(clickhouse::error::Error::TimedOut)),
            Some(Outcome::Reject) => Err(SinkError::Reject(clickhouse::error::Error::BadResponse(
                "Code: 33. no".to_owned(),
            ))),
        }
    }
}
