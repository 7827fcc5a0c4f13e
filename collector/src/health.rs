//! Whether the collector can do its work: `/readyz`.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use tokio::time::MissedTickBehavior;

use crate::dead_letters;
use crate::spool::Spool;

/// What is known of the neighbour and of the way to it. Learnt by the collector's own work, never by
/// asking for the sake of a caller: nobody can load ClickHouse through `/readyz`.
///
/// Each is told by one work alone. A ClickHouse without room, or one whose user may not insert, answers
/// every question and takes no row: were both one state, the one work would undo each few seconds what the
/// other has found.
#[derive(Debug)]
pub(crate) struct Health {
    /// By whoever reads the sites.
    answers: Known,
    /// By the way out of the spool, as is whether it can use the spool's files. True until an insert fails: else
    /// nothing that asks `/readyz` first would ever send the event that is to show it.
    takes_rows: Known,
    way_out_works: Known,
    /// By whoever writes to the spool.
    way_in_works: Known,
}

/// How long the spool may be writable again before that is known, where nobody sends.
const PROBE_EVERY: Duration = Duration::from_secs(5);

impl Default for Health {
    fn default() -> Self {
        Self {
            answers: Known::nothing_yet(),
            takes_rows: Known::to_be_true(),
            way_out_works: Known::to_be_true(),
            way_in_works: Known::to_be_true(),
        }
    }
}

/// Something that changes from time to time, and is logged when it does.
#[derive(Debug)]
struct Known {
    is: AtomicBool,
    /// So that the first failure after a start is logged too.
    told: AtomicBool,
}

impl Known {
    const fn nothing_yet() -> Self {
        Self { is: AtomicBool::new(false), told: AtomicBool::new(false) }
    }

    const fn to_be_true() -> Self {
        Self { is: AtomicBool::new(true), told: AtomicBool::new(true) }
    }

    fn is(&self) -> bool {
        self.is.load(Ordering::Relaxed)
    }

    /// Gives whether this is news.
    fn learn(&self, is: bool) -> bool {
        let was = self.is.swap(is, Ordering::Relaxed);
        let told = self.told.swap(true, Ordering::Relaxed);
        was != is || !told
    }
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
    takes_rows: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Fill {
    has_room: bool,
    works: bool,
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
        self.answers.is()
    }

    pub(crate) fn clickhouse_takes_rows(&self) -> bool {
        self.takes_rows.is()
    }

    pub(crate) fn spool_works(&self) -> bool {
        self.way_out_works.is() && self.way_in_works.is()
    }

    pub(crate) fn clickhouse_answered(&self) {
        if self.answers.learn(true) {
            tracing::info!("ClickHouse answers");
        }
    }

    /// Logged once until it answers again; nothing is lost meanwhile.
    pub(crate) fn clickhouse_is_away(&self, error: &dyn Display) {
        if self.answers.learn(false) {
            tracing::warn!(%error, "ClickHouse does not answer, events wait in the spool");
        }
    }

    pub(crate) fn clickhouse_took_rows(&self) {
        if self.takes_rows.learn(true) {
            tracing::info!("ClickHouse takes rows again");
        }
    }

    /// Logged once until it takes some; nothing is lost meanwhile.
    pub(crate) fn clickhouse_takes_none(&self, error: &dyn Display) {
        if self.takes_rows.learn(false) {
            tracing::warn!(%error, "ClickHouse takes no rows, events wait in the spool");
        }
    }

    pub(crate) fn spool_worked(&self) {
        if self.way_out_works.learn(true) {
            tracing::info!("the spool's files can be used again");
        }
    }

    /// Logged once until they can be used; nothing is lost meanwhile.
    pub(crate) fn spool_fails(&self, error: &dyn Display) {
        if self.way_out_works.learn(false) {
            tracing::error!(%error, "events wait in the spool; see to its disk");
        }
    }

    /// A file of the spool was written, or a probe. What batches meet is logged where they are taken.
    pub(crate) fn spool_was_written(&self) {
        self.way_in_works.learn(true);
    }

    pub(crate) fn spool_cannot_be_written(&self) {
        self.way_in_works.learn(false);
    }

    /// Tries to write as long as that fails: where a balancer asks `/readyz`, no event comes by which it would be
    /// known that it works again.
    pub(crate) async fn keep_probing(self: Arc<Self>, spool: Arc<Spool>) {
        let mut tick = tokio::time::interval(PROBE_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if self.way_in_works.is() {
                continue;
            }
            let spool = Arc::clone(&spool);
            match tokio::task::spawn_blocking(move || spool.probe()).await {
                Ok(Ok(())) => self.spool_was_written(),
                Ok(Err(error)) => tracing::debug!(%error, "the spool still cannot be written"),
                Err(error) => tracing::debug!(%error, "the spool was not probed"),
            }
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
        let (answers, takes_rows) = (self.answers.is(), self.takes_rows.is());
        let works = self.spool_works();
        let blocks = spool.blocks_waiting();
        Readiness {
            ready: answers && takes_rows && works && has_room && dead_letters.has_room,
            clickhouse: ClickHouse { answers, takes_rows },
            spool: Fill { has_room, works, bytes, bytes_max, blocks },
            dead_letters,
            sites,
            certificate: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_change_is_news_and_the_first_failure() {
        let known = Known::nothing_yet();
        assert!(known.learn(false), "the first failure after a start");
        assert!(!known.learn(false));
        assert!(known.learn(true));
        assert!(!known.learn(true));
        assert!(known.learn(false));
        let known = Known::to_be_true();
        assert!(!known.learn(true), "nothing was wrong");
        assert!(known.learn(false));
    }
}
