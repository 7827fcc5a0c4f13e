//! Why a question has no answer.

use store::ServerError;
use thiserror::Error;

/// Why a question has no answer. [`AskError::is_askers_fault`] tells a question to put differently from a
/// database to look after.
#[derive(Debug, Error)]
pub enum AskError {
    /// A funnel with no step, or too many.
    #[error("a funnel has 1 to {steps_max} steps, this one has {steps}")]
    Steps {
        /// How many it has.
        steps: usize,
        /// How many it may have.
        steps_max: usize,
    },
    /// More rows asked for than an answer may have.
    #[error("at most {limit_max} rows can be asked for, and at least one; {limit} were")]
    Limit {
        /// How many were asked for.
        limit: u64,
        /// How many may be.
        limit_max: u64,
    },
    /// A half-life of nothing would divide by nothing.
    #[error("a half-life is at least one second")]
    HalfLife,
    /// A time series with too many points to draw.
    #[error(
        "{points} points by {interval} are more than {points_max}; ask for a longer interval or a shorter range"
    )]
    Points {
        /// How many there would be.
        points: usize,
        /// How many there may be.
        points_max: usize,
        /// The interval that was asked for.
        interval: crate::traffic::Interval,
    },
    /// The question took longer than a question may.
    #[error("the question takes longer than {seconds} s; ask for a shorter range")]
    TooLong {
        /// How long it may take.
        seconds: u64,
    },
    /// The question needs more memory than a question may.
    #[error("the question needs more than {bytes} bytes of memory; ask for a shorter range")]
    TooMuchMemory {
        /// How much it may take.
        bytes: u64,
    },
    /// The database has no answer.
    #[error(transparent)]
    Server(#[from] ServerError),
}

impl AskError {
    /// Whether another question would be answered (a 400 over HTTP), and the database is well.
    #[must_use]
    pub fn is_askers_fault(&self) -> bool {
        !matches!(self, Self::Server(_))
    }

    /// A stable tag for an API's answer.
    #[must_use]
    pub fn tag(&self) -> &'static str {
        match self {
            Self::Steps { .. } => "funnel_steps",
            Self::Limit { .. } => "limit",
            Self::HalfLife => "half_life",
            Self::Points { .. } => "too_many_points",
            Self::TooLong { .. } => "question_too_long",
            Self::TooMuchMemory { .. } => "question_too_large",
            Self::Server(_) => "database",
        }
    }
}
