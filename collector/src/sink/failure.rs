//! Why a try to insert failed for now, as the metrics name it. The log has the whole answer.

use clickhouse::error::Error;

use super::split::Again;
use crate::error::SinkError;

/// What an operator would look at next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No connection, or one that broke.
    Network,
    /// An answer that did not come in time.
    Timeout,
    /// Too many parts, queries or bytes at a time: ClickHouse cannot keep up.
    Overloaded,
    /// The table or the database is not there, or has not all columns yet.
    NotMigrated,
    /// The user may not, or the table takes no rows now.
    ReadOnly,
    /// Any other answer.
    Answer,
    /// A file of the spool cannot be read, written or moved.
    File,
}

/// From ClickHouse's `src/Common/ErrorCodes.cpp`: TOO_MANY_SIMULTANEOUS_QUERIES, MEMORY_LIMIT_EXCEEDED,
/// NOT_ENOUGH_SPACE, TOO_MANY_PARTS.
const OVERLOADED: [u32; 4] = [202, 241, 243, 252];
/// NO_SUCH_COLUMN_IN_TABLE, UNKNOWN_TABLE, UNKNOWN_DATABASE.
const NOT_MIGRATED: [u32; 3] = [16, 60, 81];
/// READONLY, TABLE_IS_READ_ONLY, REQUIRED_PASSWORD, ACCESS_DENIED, AUTHENTICATION_FAILED.
const READ_ONLY: [u32; 5] = [164, 242, 194, 497, 516];

/// What passes by itself besides: TIMEOUT_EXCEEDED, TOO_SLOW, CANNOT_ALLOCATE_MEMORY, SOCKET_TIMEOUT,
/// NETWORK_ERROR, NO_ZOOKEEPER, ABORTED, ALL_CONNECTION_TRIES_FAILED, TOO_FEW_LIVE_REPLICAS,
/// UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE, UNKNOWN_STATUS_OF_INSERT, QUERY_WAS_CANCELLED, KEEPER_EXCEPTION.
const PASSING: [u32; 13] = [159, 160, 173, 209, 210, 225, 236, 279, 285, 286, 319, 394, 999];

/// The code of an answer that may be about the rows and may pass: it stands in no list.
pub(super) fn unknown_code(again: &Again) -> Option<u32> {
    let Again::Sink(SinkError::Retry(Error::BadResponse(answer))) = again else { return None };
    let code = super::clickhouse::code(answer)?;
    let is_known = [&OVERLOADED[..], &NOT_MIGRATED, &READ_ONLY, &PASSING].concat().contains(&code);
    (!is_known).then_some(code)
}

impl Failure {
    pub(crate) const ALL: [Self; 7] = [
        Self::Network,
        Self::Timeout,
        Self::Overloaded,
        Self::NotMigrated,
        Self::ReadOnly,
        Self::Answer,
        Self::File,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Timeout => "timeout",
            Self::Overloaded => "overloaded",
            Self::NotMigrated => "not_migrated",
            Self::ReadOnly => "read_only",
            Self::Answer => "answer",
            Self::File => "file",
        }
    }

    pub(super) fn of(again: &Again) -> Self {
        let error = match again {
            Again::File(_) => return Self::File,
            Again::Sink(SinkError::Retry(error) | SinkError::Reject(error)) => error,
        };
        match error {
            Error::Network(_) => Self::Network,
            Error::TimedOut => Self::Timeout,
            Error::BadResponse(answer) => match super::clickhouse::code(answer) {
                Some(code) if OVERLOADED.contains(&code) => Self::Overloaded,
                Some(code) if NOT_MIGRATED.contains(&code) => Self::NotMigrated,
                Some(code) if READ_ONLY.contains(&code) => Self::ReadOnly,
                _ => Self::Answer,
            },
            _ => Self::Answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_told_by_its_code() {
        let failure = |answer: &str| {
            let error = Error::BadResponse(answer.to_owned());
            Failure::of(&Again::Sink(SinkError::Retry(error)))
        };
        assert_eq!(failure("Code: 252. DB::Exception: Too many parts."), Failure::Overloaded);
        assert_eq!(failure("Code: 60. DB::Exception: Table events"), Failure::NotMigrated);
        assert_eq!(failure("Code: 164. DB::Exception: Cannot execute"), Failure::ReadOnly);
        assert_eq!(failure("502 Bad Gateway"), Failure::Answer);
    }
}
