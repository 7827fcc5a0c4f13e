//! What every question's SQL has in common: where it reads, how values get into it, and what it may cost.

use std::time::Duration;

use clickhouse::query::Query;
use clickhouse::{RowOwned, RowRead};
use segment::{Parameter, ParameterValue, Parameters};
use store::{Server, ServerError};
use wire::SiteName;

use super::{AskError, Filter, Range};

/// What one question may cost. Passed to ClickHouse with every question, which stops it there.
#[derive(Clone, Copy, Debug)]
pub struct Limits;

impl Limits {
    /// How long ClickHouse may work on a question.
    pub const SECONDS: u64 = 30;
    /// How much memory it may take: half of a small machine.
    pub const MEMORY_BYTES: u64 = 2 * 1024 * 1024 * 1024;
    /// How much of it in a `GROUP BY` before it goes on, slower, on the disk.
    pub const GROUP_BYTES: u64 = Self::MEMORY_BYTES / 2;
    /// Rows of an answer. Only a segment's members come near it.
    pub const ROWS: u64 = 1_000_000;
}

/// Error codes of ClickHouse that say a limit was passed.
const TIMEOUT_EXCEEDED: &str = "Code: 159.";
const TOO_SLOW: &str = "Code: 160.";
const MEMORY_LIMIT_EXCEEDED: &str = "Code: 241.";

/// A `SELECT` and what its parameters stand for.
#[derive(Clone, Debug)]
pub struct Question {
    text: String,
    parameters: Vec<Parameter>,
}

impl Question {
    pub(crate) fn new(text: String, parameters: &Parameters) -> Self {
        Self { text, parameters: parameters.as_slice().to_vec() }
    }

    /// The SQL, with `{name:Type}` where a value goes.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The values bound, the limits set, ready to fetch.
    pub fn query(&self, server: &Server) -> Query {
        let query = server
            .client()
            .query_raw(&self.text)
            .with_setting("max_execution_time", Limits::SECONDS.to_string())
            .with_setting("max_memory_usage", Limits::MEMORY_BYTES.to_string())
            .with_setting("max_bytes_before_external_group_by", Limits::GROUP_BYTES.to_string())
            .with_setting("max_result_rows", Limits::ROWS.to_string())
            .with_setting("result_overflow_mode", "throw")
            // A retried event has the same day, so it lies in the same month: no need to merge across them.
            .with_setting("do_not_merge_across_partitions_select_final", "1")
            .with_setting("readonly", "2");
        self.parameters.iter().fold(query, |query, Parameter { name, value }| match value {
            ParameterValue::Text(text) => query.param(name, text),
            ParameterValue::Integer(number) => query.param(name, number),
            ParameterValue::Decimal(number) => query.param(name, number.to_string()),
        })
    }

    /// All rows of the answer.
    pub(crate) async fn rows<T: RowOwned + RowRead>(
        &self,
        server: &Server,
    ) -> Result<Vec<T>, AskError> {
        /// ClickHouse keeps the limit by itself; this is for a connection that died.
        const GRACE: Duration = Duration::from_secs(5);
        let limit = Duration::from_secs(Limits::SECONDS) + GRACE;
        let answer = server.within(limit, self.query(server).fetch_all::<T>()).await;
        answer.map_err(|error| within_limits(error).unwrap_or_else(AskError::Server))
    }
}

/// Tells a limit that was passed from other refusals.
fn within_limits(error: ServerError) -> Result<AskError, ServerError> {
    if let ServerError::Refused { source, .. } = &error {
        let text = source.to_string();
        if text.contains(TIMEOUT_EXCEEDED) || text.contains(TOO_SLOW) {
            return Ok(AskError::TooLong { seconds: Limits::SECONDS });
        }
        if text.contains(MEMORY_LIMIT_EXCEEDED) {
            return Ok(AskError::TooMuchMemory { bytes: Limits::MEMORY_BYTES });
        }
    }
    Err(error)
}

/// Which events a question reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) site: &'a SiteName,
    pub(crate) range: Range,
    pub(crate) filter: &'a Filter,
}

impl Scope<'_> {
    /// `FROM` and `WHERE`; more may follow with `AND`. `FINAL`, because a retried event is two rows until
    /// ClickHouse merges them.
    pub(crate) fn sql(&self, parameters: &mut Parameters) -> String {
        let site = parameters.bind(ParameterValue::Text(self.site.to_string()));
        let mut text = format!("FROM events FINAL WHERE site = {site}");
        for (end, sign) in [(self.range.from, ">="), (self.range.to, "<")] {
            if let Some(end) = end {
                let end = parameters.bind(ParameterValue::Integer(end.as_millisecond()));
                text.push_str(&format!(" AND occurred_at {sign} fromUnixTimestamp64Milli({end})"));
            }
        }
        if let Some(filter) = self.filter.0.sql(parameters) {
            text.push_str(" AND ");
            text.push_str(&filter);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use store::testing::TestDatabase;

    use super::*;

    async fn ask(text: &str) -> Result<Vec<u64>, AskError> {
        let database = TestDatabase::create().await;
        let question = Question::new(text.to_owned(), &Parameters::new("test"));
        question.rows(database.server()).await
    }

    #[tokio::test]
    async fn every_question_is_bounded() {
        for (setting, limit) in [
            ("max_execution_time", Limits::SECONDS),
            ("max_memory_usage", Limits::MEMORY_BYTES),
            ("max_result_rows", Limits::ROWS),
        ] {
            let text = format!("SELECT toUInt64(getSetting('{setting}'))");
            assert_eq!(ask(&text).await.unwrap(), [limit], "{setting}");
        }
        let rows = format!("SELECT number FROM numbers({})", Limits::ROWS * 2);
        assert!(matches!(ask(&rows).await, Err(AskError::Server(ServerError::Refused { .. }))));
    }

    #[tokio::test]
    async fn a_question_can_only_read() {
        let database = TestDatabase::create().await;
        let ask = async |text: &str| {
            let question = Question::new(text.to_owned(), &Parameters::new("test"));
            question.rows::<u64>(database.server()).await
        };
        let refused = ask("DROP TABLE events").await;
        assert!(matches!(refused, Err(AskError::Server(ServerError::Refused { .. }))));
        assert_eq!(ask("SELECT count() FROM events FINAL").await.unwrap(), [0]);
    }

    #[tokio::test]
    async fn tells_which_limit_was_passed() {
        let slow = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1 \
            SETTINGS max_execution_time = 0.3";
        assert!(matches!(ask(slow).await, Err(AskError::TooLong { .. })));
        let large = "SELECT length(groupArray(number)) FROM numbers(10000000) \
            SETTINGS max_memory_usage = 1000000";
        assert!(matches!(ask(large).await, Err(AskError::TooMuchMemory { .. })));
    }
}
