//! Whether the collector can do its work: `/readyz`.

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use crate::dead_letters;
use crate::spool::Spool;

/// What is known of the neighbour. Learnt by the collector's own work, never by asking for the sake
/// of a caller: nobody can load ClickHouse through `/readyz`.
#[derive(Debug, Default)]
pub(crate) struct Health {
    clickhouse_answers: AtomicBool,
    /// So that the first failure after a start is logged too.
    told: AtomicBool,
}

/// The body of `/readyz`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Readiness {
    pub(crate) ready: bool,
    clickhouse: ClickHouse,
    spool: Fill,
    dead_letters: dead_letters::Fill,
    sites: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<Certificate>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct ClickHouse {
    answers: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Fill {
    has_room: bool,
    bytes: u64,
    bytes_max: u64,
    blocks: usize,
}

/// The certificate in use. That it expires soon does not make the collector unready: it still works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Certificate {
    /// Milliseconds since 1970.
    expires_at: i64,
    expires_soon: bool,
}

/// A certificate that is renewed by itself has more left: the usual ones at least 30 days of 90.
const EXPIRES_SOON_MILLIS: i64 = 14 * 24 * 3600 * 1000;

impl Certificate {
    pub(crate) const fn new(expires_at: i64, now_millis: i64) -> Self {
        Self { expires_at, expires_soon: expires_at - now_millis < EXPIRES_SOON_MILLIS }
    }
}

impl Readiness {
    pub(crate) fn with_certificate(self, certificate: Option<Certificate>) -> Self {
        Self { certificate, ..self }
    }
}

impl Health {
    pub(crate) fn clickhouse_answers(&self) -> bool {
        self.clickhouse_answers.load(Ordering::Relaxed)
    }

    pub(crate) fn clickhouse_answered(&self) {
        self.told.store(true, Ordering::Relaxed);
        if !self.clickhouse_answers.swap(true, Ordering::Relaxed) {
            tracing::info!("ClickHouse answers");
        }
    }

    /// Logged once until it answers again; nothing is lost meanwhile.
    pub(crate) fn clickhouse_is_away(&self, error: &dyn Display) {
        let answered = self.clickhouse_answers.swap(false, Ordering::Relaxed);
        if answered || !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(%error, "ClickHouse does not answer, events wait in the spool");
        }
    }

    /// Ready means that an event taken now will be in ClickHouse soon. Events are taken all the same
    /// while ClickHouse is away, as long as the spool has room.
    pub(crate) fn readiness(
        &self,
        spool: &Spool,
        dead_letters: dead_letters::Fill,
        sites: usize,
    ) -> Readiness {
        let (bytes, bytes_max) = spool.fill();
        // A request's rows take a few megabytes at most; with less room than that some are refused.
        let has_room = bytes < bytes_max - bytes_max / 20;
        let answers = self.clickhouse_answers.load(Ordering::Relaxed);
        Readiness {
            ready: answers && has_room && dead_letters.has_room,
            clickhouse: ClickHouse { answers },
            spool: Fill { has_room, bytes, bytes_max, blocks: spool.blocks_waiting() },
            dead_letters,
            sites,
            certificate: None,
        }
    }
}
