//! What can go wrong: the operator's errors, and the answers a request may be refused with.

use std::net::SocketAddr;
use std::time::Duration;

use analytics::query::AskError;
use audience::SnapshotError;
use axum::http::StatusCode;
use serde::Serialize;
use store::ServerError;
use thiserror::Error;

/// When to ask again for what is away.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Why the dashboard does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// An address other machines can reach, and no sign-in to keep them out.
    #[error(
        "the dashboard would listen on {listen}, where other machines can reach it, and it asks nobody who they are: listen on 127.0.0.1 and put a proxy with a sign-in before it, or say --allow-unauthenticated"
    )]
    Unauthenticated {
        /// Where it was told to listen.
        listen: SocketAddr,
    },
    /// Built without what `cargo xtask build` makes.
    #[error("this build has no {file} in it; build with `cargo xtask build`")]
    NoAssets {
        /// What is missing.
        file: &'static str,
    },
}

/// Why the dashboard stopped by itself.
#[derive(Debug, Error)]
pub enum DashboardError {
    /// The listener's own address cannot be told.
    #[error("the dashboard's listener has no address")]
    Listener(#[source] std::io::Error),
}

/// Why a request is refused. Each has one row in [`Rejection::spec`].
#[derive(Debug, Error)]
pub(crate) enum Rejection {
    #[error("the host {host:?} is not this dashboard's")]
    HostForeign { host: String },
    #[error("there is nothing at this address")]
    NotFound,
    #[error("only GET and HEAD are answered here")]
    MethodNotAllowed,
    #[error("the question is {bytes} bytes long; at most {bytes_max} are read")]
    QueryTooLong { bytes: usize, bytes_max: usize },
    #[error("there is no parameter {name:?} here")]
    ParameterUnknown { name: String, known: &'static [&'static str] },
    #[error("the parameter {name} is missing")]
    ParameterMissing { name: &'static str, hint: &'static str },
    #[error("the parameter {name} is given more than once")]
    ParameterRepeated { name: &'static str },
    #[error("the parameter {name} is not understood: {why}")]
    ParameterInvalid { name: &'static str, why: String, hint: &'static str, place: Option<Place> },
    #[error("there is no site {site}")]
    SiteUnknown { site: String },
    #[error("{message}")]
    Unanswerable { tag: &'static str, message: String },
    #[error("{message}")]
    AudienceTooSmall { message: String, counts: Box<audience::Receipt> },
    #[error("{message}")]
    AudienceTooLarge { message: String },
    #[error("ClickHouse cannot be reached")]
    ClickhouseUnavailable { cause: String },
    #[error("ClickHouse gave no answer in time")]
    QuestionTimedOut { cause: String },
    #[error("the question could not be answered")]
    Internal { cause: String },
    #[error("too many questions are being answered already")]
    Busy,
}

/// Where a rule or a step stopped making sense.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Place {
    /// Characters from the start of the line, from 1.
    pub(crate) column: usize,
    /// From 1.
    pub(crate) line: usize,
    /// What could have stood there.
    pub(crate) expected: Vec<&'static str>,
    /// What stood there.
    pub(crate) found: String,
}

/// What a rejection is answered with.
pub(crate) struct Spec {
    pub(crate) tag: &'static str,
    pub(crate) status: StatusCode,
    pub(crate) hint: String,
    pub(crate) retry_after: Option<Duration>,
}

impl Rejection {
    pub(crate) fn spec(&self) -> Spec {
        let spec = |tag, status, hint: &str| {
            let away = status == StatusCode::SERVICE_UNAVAILABLE;
            Spec { tag, status, hint: hint.to_owned(), retry_after: away.then_some(RETRY_AFTER) }
        };
        match self {
            Self::HostForeign { .. } => spec(
                "host_foreign",
                StatusCode::FORBIDDEN,
                "open the dashboard by the address it prints when it starts, for example http://127.0.0.1:4401",
            ),
            Self::NotFound => spec(
                "not_found",
                StatusCode::NOT_FOUND,
                "the API is under /api/v1, the pages begin at /",
            ),
            Self::MethodNotAllowed => {
                spec("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED, "ask with GET")
            }
            Self::QueryTooLong { .. } => {
                spec("query_too_long", StatusCode::URI_TOO_LONG, "ask with fewer or shorter steps")
            }
            Self::ParameterUnknown { known, .. } => {
                let hint = format!("known here are {}", known.join(", "));
                spec("parameter_unknown", StatusCode::BAD_REQUEST, &hint)
            }
            Self::ParameterMissing { hint, .. } => {
                spec("parameter_missing", StatusCode::BAD_REQUEST, hint)
            }
            Self::ParameterRepeated { .. } => {
                spec("parameter_repeated", StatusCode::BAD_REQUEST, "give it once")
            }
            Self::ParameterInvalid { hint, .. } => {
                spec("parameter_invalid", StatusCode::BAD_REQUEST, hint)
            }
            Self::SiteUnknown { .. } => spec(
                "site_unknown",
                StatusCode::NOT_FOUND,
                "/api/v1/sites lists the sites; `footfall site add NAME --origin URL` makes one",
            ),
            Self::Unanswerable { tag, .. } => {
                spec(tag, StatusCode::BAD_REQUEST, "put the question differently and ask again")
            }
            Self::AudienceTooLarge { .. } => {
                spec("audience_too_large", StatusCode::CONFLICT, "narrow the rule")
            }
            Self::AudienceTooSmall { .. } => spec(
                "audience_too_small",
                StatusCode::CONFLICT,
                "widen the rule, or wait until more members have consented to ads",
            ),
            Self::ClickhouseUnavailable { .. } => spec(
                "clickhouse_unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "start ClickHouse, or name another with --clickhouse-url; events are kept in the spool meanwhile",
            ),
            Self::QuestionTimedOut { .. } => spec(
                "question_timed_out",
                StatusCode::GATEWAY_TIMEOUT,
                "ask about a shorter range, or with fewer steps",
            ),
            Self::Internal { .. } => spec(
                "internal",
                StatusCode::INTERNAL_SERVER_ERROR,
                "the log of footfall has the cause",
            ),
            Self::Busy => spec("busy", StatusCode::SERVICE_UNAVAILABLE, "ask again in a moment"),
        }
    }

    /// What a person at the terminal must learn; logged once, where the answer is made.
    pub(crate) fn cause(&self) -> Option<&str> {
        match self {
            Self::ClickhouseUnavailable { cause }
            | Self::QuestionTimedOut { cause }
            | Self::Internal { cause } => Some(cause),
            _ => None,
        }
    }
}

impl From<ServerError> for Rejection {
    fn from(error: ServerError) -> Self {
        let cause = chain(&error);
        match error {
            ServerError::Unreachable { .. } => Self::ClickhouseUnavailable { cause },
            ServerError::TimedOut { .. } => Self::QuestionTimedOut { cause },
            ServerError::Refused { .. } => Self::Internal { cause },
        }
    }
}

impl From<AskError> for Rejection {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Server(error) => error.into(),
            error => Self::Unanswerable { tag: error.tag(), message: error.to_string() },
        }
    }
}

impl From<SnapshotError> for Rejection {
    fn from(error: SnapshotError) -> Self {
        let message = error.to_string();
        match error {
            SnapshotError::BelowFloor { receipt } => {
                Self::AudienceTooSmall { message, counts: receipt }
            }
            SnapshotError::TooMany { .. } => Self::AudienceTooLarge { message },
            SnapshotError::Time { .. } => Self::Unanswerable { tag: "time", message },
            SnapshotError::Server(error) => error.into(),
        }
    }
}

impl From<askama::Error> for Rejection {
    fn from(error: askama::Error) -> Self {
        Self::Internal { cause: chain(&error) }
    }
}

/// An error and what it came from, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
