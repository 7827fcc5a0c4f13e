//! The three kinds of failure: the operator's, the client's, and ours or ClickHouse's. (Leaving one
//! event out is no failure but an outcome: `validate::DropReason`.)

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use hyper::StatusCode;
use tracing::Level;

use crate::link::{LinkError, LinkKeyError};
use crate::tls::TlsError;

/// The operator's: the collector does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The program was built without `cargo xtask build` before it.
    #[error("this build has no tracker in it; build with `cargo xtask build`")]
    NoTracker,
    /// Another process has the spool.
    #[error("the spool {} is in use by another collector; give each its own --data-dir", path.display())]
    SpoolInUse {
        /// The spool's folder.
        path: PathBuf,
    },
    /// The spool cannot be made or read.
    #[error("cannot use the spool {}", path.display())]
    Spool {
        /// The file or folder at fault.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("cannot take requests by TLS")]
    Tls(#[source] TlsError),
    /// Two settings do not fit together.
    #[error("{setting} is {value}, but {rule}")]
    Setting {
        /// The flag.
        setting: &'static str,
        /// What was given.
        value: String,
        /// What holds for it.
        rule: String,
    },
    /// Redirect links could not be told from forged ones.
    #[error(transparent)]
    LinkKey(#[from] LinkKeyError),
}

/// Why [`run`](crate::run()) ended other than by its shutdown.
#[derive(Debug, thiserror::Error)]
pub enum CollectorError {
    /// It did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The system has no thread for what goes out.
    #[error("cannot start the thread that inserts into ClickHouse")]
    Thread(#[source] io::Error),
    /// A task that must live as long as the collector ended.
    #[error("the collector's {task} stopped unexpectedly")]
    TaskEnded {
        /// Which one.
        task: &'static str,
    },
}

/// The client's: the whole request is refused, nothing of it was kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant's message says what it is; docs/WIRE.md has the table"
)]
pub enum Rejection {
    #[error("there is nothing at this address")]
    NotFound,
    #[error("this address does not take the method {method}")]
    MethodNotAllowed { method: String, allowed: &'static str },
    #[error("the body is larger than {bytes_max} bytes")]
    BodyTooLarge { bytes_max: usize },
    #[error("the body did not arrive within {} s", timeout.as_secs())]
    BodyTimeout { timeout: Duration },
    #[error("the body broke off")]
    BodyIncomplete,
    #[error("the body is encoded with {encoding:?}, which is not understood")]
    EncodingNotSupported { encoding: String },
    #[error("the body is not what {encoding} makes: {problem}")]
    BodyNotDecoded { encoding: &'static str, problem: String },
    #[error("the body is not JSON: {problem} at line {line} column {column}{}", told(field))]
    BodyNotJson { problem: String, line: usize, column: usize, field: Option<String> },
    #[error("the body is not a batch: {problem} at line {line} column {column}{}", told(field))]
    BodyNotBatch { problem: String, line: usize, column: usize, field: Option<String> },
    #[error("the batch has {events} events, more than {events_max}")]
    BatchTooLarge { events: usize, events_max: usize },
    #[error("the request names no site")]
    KeyMissing,
    #[error("there is no site named {site:?}")]
    SiteUnknown { site: String },
    #[error("it is not known yet what sites there are")]
    SitesNotKnown,
    #[error("there is no room for another large body now")]
    BodiesFull,
    #[error("the site does not list the origin {origin:?}")]
    OriginNotAllowed { origin: String },
    #[error("too many events come from this address")]
    AddressTooFast { wait: Duration },
    #[error("too many events come for this site")]
    SiteTooFast { wait: Duration },
    #[error("the site's {events_per_day} events of this day are used up")]
    SiteOverQuota { events_per_day: u64, wait: Duration },
    #[error("who asks is not in a network that may read the metrics")]
    MetricsNotAllowed,
    #[error("this is no link of this collector's: {problem}")]
    LinkNotSigned { problem: LinkError },
    #[error("the spool is full")]
    SpoolFull,
    #[error("the spool cannot be written")]
    SpoolUnwritable,
}

fn told(field: &Option<String>) -> String {
    field.as_ref().map(|field| format!(", field {field}")).unwrap_or_default()
}

/// What follows from a [`Rejection`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The stable tag: in the answer's body, on the metric and in the log.
    pub tag: &'static str,
    /// The answer's status.
    pub status: StatusCode,
    /// At what level it is logged: above debug only what the operator must act upon.
    pub level: Level,
    /// When the client may send the same again; `None`: never, it would be refused again.
    pub retry_after: Option<Duration>,
    /// What to do about it.
    pub hint: &'static str,
}

/// How long a client should wait when the fault is ours: a few inserts' time.
const RETRY_AFTER: Duration = Duration::from_secs(30);
/// The same where the connection was at fault.
const RETRY_SOON: Duration = Duration::from_secs(1);

/// The client must change something first.
const fn client(tag: &'static str, status: StatusCode, hint: &'static str) -> Spec {
    Spec { tag, status, level: Level::DEBUG, retry_after: None, hint }
}

/// Nobody may do this; somebody must allow it first.
const fn forbidden(tag: &'static str, hint: &'static str) -> Spec {
    client(tag, StatusCode::FORBIDDEN, hint)
}

/// The client must send something else.
const fn malformed(tag: &'static str, hint: &'static str) -> Spec {
    client(tag, StatusCode::BAD_REQUEST, hint)
}

/// The way between was at fault.
const fn connection(tag: &'static str, status: StatusCode, hint: &'static str) -> Spec {
    Spec { tag, status, level: Level::DEBUG, retry_after: Some(RETRY_SOON), hint }
}

/// The collector is at fault, and its operator must act.
const fn ours(tag: &'static str, hint: &'static str) -> Spec {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    Spec { tag, status, level: Level::ERROR, retry_after: Some(RETRY_AFTER), hint }
}

impl Rejection {
    /// Everything that follows from the rejection, in one place.
    #[must_use]
    pub fn spec(&self) -> Spec {
        match self {
            Self::NotFound => {
                client("not_found", StatusCode::NOT_FOUND, "see docs/WIRE.md for the addresses")
            }
            Self::MethodNotAllowed { .. } => client(
                "method_not_allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "the Allow header names the methods",
            ),
            Self::BodyTooLarge { .. } => client(
                "body_too_large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "send the events in smaller batches",
            ),
            Self::BodyTimeout { .. } => connection(
                "body_timeout",
                StatusCode::REQUEST_TIMEOUT,
                "send the batch again, or in smaller batches",
            ),
            Self::BodyIncomplete => {
                connection("body_incomplete", StatusCode::BAD_REQUEST, "send the batch again")
            }
            Self::EncodingNotSupported { .. } => client(
                "encoding_not_supported",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "send the body plain, or as the Accept-Encoding header names it",
            ),
            Self::BodyNotDecoded { .. } => {
                malformed("body_not_decoded", "compress the body once and whole, or send it plain")
            }
            Self::BodyNotJson { .. } => {
                malformed("body_not_json", "send one JSON object as docs/WIRE.md shows it")
            }
            Self::BodyNotBatch { .. } => {
                malformed("body_not_batch", "mend the field; docs/WIRE.md shows a batch")
            }
            Self::BatchTooLarge { .. } => client(
                "batch_too_large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "send the events in smaller batches",
            ),
            Self::BodiesFull => connection(
                "bodies_full",
                StatusCode::SERVICE_UNAVAILABLE,
                "send the batch again, or in batches of 64 KiB",
            ),
            Self::KeyMissing
            | Self::SiteUnknown { .. }
            | Self::SitesNotKnown
            | Self::OriginNotAllowed { .. } => self.of_the_site(),
            Self::AddressTooFast { wait }
            | Self::SiteTooFast { wait }
            | Self::SiteOverQuota { wait, .. } => self.too_many(*wait),
            Self::MetricsNotAllowed => forbidden(
                "metrics_not_allowed",
                "ask from this machine or a private network; the operator: --metrics-from names others",
            ),
            Self::LinkNotSigned { .. } => forbidden(
                "link_not_signed",
                "make links with `footfall link` and the key of this collector, and change nothing",
            ),
            Self::SpoolFull => ours(
                "spool_full",
                "send the same batch again later; the operator: see why ClickHouse does not take rows",
            ),
            Self::SpoolUnwritable => ours(
                "spool_unwritable",
                "send the same batch again later; the operator: see whether the disk is full",
            ),
        }
    }

    /// The field of the body at fault, where there is one.
    pub(crate) fn field(&self) -> Option<&str> {
        match self {
            Self::BodyNotJson { field, .. } | Self::BodyNotBatch { field, .. } => field.as_deref(),
            _ => None,
        }
    }

    /// The site is not there, or is not the sender's.
    fn of_the_site(&self) -> Spec {
        match self {
            Self::KeyMissing => malformed(
                "key_missing",
                "give the site's name as the write key, by Basic authorization or in the body",
            ),
            Self::SiteUnknown { .. } => forbidden(
                "site_unknown",
                "make the site with `footfall site add`, or mend its name in the tag",
            ),
            Self::SitesNotKnown => ours(
                "sites_not_known",
                "send the same batch again later; the operator: see why ClickHouse does not answer",
            ),
            _ => forbidden(
                "origin_not_allowed",
                "add the origin with `footfall site add NAME --origin URL`, with all of the site's other origins and settings",
            ),
        }
    }

    /// The client must slow down: it may go on after so long.
    fn too_many(&self, wait: Duration) -> Spec {
        let (tag, hint) = match self {
            Self::AddressTooFast { .. } => (
                "address_too_fast",
                "send the same batch again later; the operator: see --page-rate, --server-rate and --trusted-proxy",
            ),
            Self::SiteOverQuota { .. } => (
                "site_over_quota",
                "send the same batch again after midnight UTC, or raise `footfall site add --events-per-day`, with all of the site's other settings",
            ),
            _ => {
                ("site_too_fast", "send the same batch again later; the operator: see --site-rate")
            }
        };
        let whole = Duration::from_secs(wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
        let retry_after = Some(whole.max(RETRY_SOON));
        Spec { retry_after, ..client(tag, StatusCode::TOO_MANY_REQUESTS, hint) }
    }

    /// One of each, for the table in docs/WIRE.md and for metrics that start at nought.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let none = String::new;
        vec![
            Self::NotFound,
            Self::MethodNotAllowed { method: none(), allowed: "" },
            Self::BodyTooLarge { bytes_max: 0 },
            Self::BodyTimeout { timeout: Duration::ZERO },
            Self::BodyIncomplete,
            Self::EncodingNotSupported { encoding: none() },
            Self::BodyNotDecoded { encoding: "", problem: none() },
            Self::BodyNotJson { problem: none(), line: 0, column: 0, field: None },
            Self::BodyNotBatch { problem: none(), line: 0, column: 0, field: None },
            Self::BatchTooLarge { events: 0, events_max: 0 },
            Self::KeyMissing,
            Self::SiteUnknown { site: none() },
            Self::SitesNotKnown,
            Self::BodiesFull,
            Self::OriginNotAllowed { origin: none() },
            Self::AddressTooFast { wait: RETRY_SOON },
            Self::SiteTooFast { wait: RETRY_SOON },
            Self::SiteOverQuota { events_per_day: 0, wait: RETRY_SOON },
            Self::MetricsNotAllowed,
            Self::LinkNotSigned { problem: LinkError::NotSigned },
            Self::SpoolFull,
            Self::SpoolUnwritable,
        ]
    }
}

/// A block did not get into ClickHouse.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// ClickHouse is away, busy or not set up: the same block goes in later.
    #[error("ClickHouse does not take rows now")]
    Retry(#[source] clickhouse::error::Error),
    /// ClickHouse read the block and says that its data are bad: it would say so again.
    #[error("ClickHouse refuses the rows")]
    Reject(#[source] clickhouse::error::Error),
}

/// The error with its causes, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
