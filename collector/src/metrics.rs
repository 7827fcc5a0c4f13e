//! What the collector counts, in the Prometheus text format at `/metrics`.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::enrich::Scrubbed;
use crate::error::Rejection;
use crate::spool::block::Table;
use crate::validate::DropReason;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TableLabel {
    table: &'static str,
}

/// Every series is made at the start, at nought: a rate over one that appears with its first event
/// would miss that event.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    registry: Registry,
    accepted: Family<TableLabel, Counter>,
    dropped: Family<Reason, Counter>,
    rejected: Family<Reason, Counter>,
    inserted: Family<TableLabel, Counter>,
    dead_lettered: Family<TableLabel, Counter>,
    scrubbed: Family<Kind, Counter>,
    pub(crate) blocks_inserted: Counter,
    pub(crate) inserts_retried: Counter,
    pub(crate) blocks_rejected: Counter,
    pub(crate) blocks_damaged: Counter,
    pub(crate) connections: Gauge,
    pub(crate) connections_gave_way: Counter,
    pub(crate) connections_refused: Counter,
    pub(crate) request_seconds: RequestSeconds,
    spool_bytes: Gauge<u64, AtomicU64>,
    spool_blocks: Gauge<u64, AtomicU64>,
    dead_letters: Gauge<u64, AtomicU64>,
    dead_letters_bytes: Gauge<u64, AtomicU64>,
}

/// How long a request took from its whole head to its answer.
#[derive(Clone, Debug)]
pub(crate) struct RequestSeconds(pub(crate) Histogram);

impl Default for RequestSeconds {
    /// 50 microseconds, twice that, and so on to 26 seconds.
    fn default() -> Self {
        Self(Histogram::new(exponential_buckets(0.000_05, 2.0, 20)))
    }
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut metrics = Self::default();
        let mut registry = Registry::with_prefix("collector");
        registry.register("events_accepted", "Events on disk, by table", metrics.accepted.clone());
        registry.register("events_dropped", "Events left out, by reason", metrics.dropped.clone());
        registry.register(
            "requests_rejected",
            "Requests refused, by tag",
            metrics.rejected.clone(),
        );
        registry.register(
            "rows_inserted",
            "Rows ClickHouse took, by table",
            metrics.inserted.clone(),
        );
        registry.register(
            "blocks_inserted",
            "Blocks ClickHouse took",
            metrics.blocks_inserted.clone(),
        );
        registry.register(
            "inserts_retried",
            "Tries to insert that failed for now",
            metrics.inserts_retried.clone(),
        );
        registry.register(
            "blocks_rejected",
            "Blocks ClickHouse refused, set aside",
            metrics.blocks_rejected.clone(),
        );
        registry.register(
            "blocks_damaged",
            "Spool files damaged or gone",
            metrics.blocks_damaged.clone(),
        );
        registry.register("connections", "Connections now", metrics.connections.clone());
        registry.register(
            "request_seconds",
            "Time to answer a batch",
            metrics.request_seconds.0.clone(),
        );
        registry.register("spool_bytes", "Bytes in the spool", metrics.spool_bytes.clone());
        registry.register(
            "spool_blocks",
            "Blocks waiting for ClickHouse",
            metrics.spool_blocks.clone(),
        );
        metrics.register_dead_letters(&mut registry);
        metrics.register_scrubbed(&mut registry);
        metrics.register_gates(&mut registry);
        metrics.registry = registry;
        for table in Table::ALL.map(Table::name) {
            drop(metrics.inserted.get_or_create(&TableLabel { table }));
            drop(metrics.dead_lettered.get_or_create(&TableLabel { table }));
        }
        for table in [Table::Events, Table::BotEvents].map(Table::name) {
            drop(metrics.accepted.get_or_create(&TableLabel { table }));
        }
        for reason in DropReason::ALL.map(DropReason::tag) {
            drop(metrics.dropped.get_or_create(&Reason { reason }));
        }
        for reason in Rejection::all().iter().map(|rejection| rejection.spec().tag) {
            drop(metrics.rejected.get_or_create(&Reason { reason }));
        }
        metrics
    }

    fn register_scrubbed(&self, registry: &mut Registry) {
        registry.register(
            "texts_scrubbed",
            "E-mail addresses and card numbers replaced, by kind",
            self.scrubbed.clone(),
        );
        self.scrubbed(Scrubbed::default());
    }

    pub(crate) fn scrubbed(&self, scrubbed: Scrubbed) {
        for (kind, count) in [("email", scrubbed.emails), ("card", scrubbed.cards)] {
            self.scrubbed.get_or_create(&Kind { kind }).inc_by(count.into());
        }
    }

    fn register_gates(&self, registry: &mut Registry) {
        registry.register(
            "connections_gave_way",
            "Quiet connections asked to end so that others find room",
            self.connections_gave_way.clone(),
        );
        registry.register(
            "connections_refused",
            "Connections closed at once, their address had too many",
            self.connections_refused.clone(),
        );
    }

    fn register_dead_letters(&self, registry: &mut Registry) {
        registry.register(
            "rows_dead",
            "Rows ClickHouse refused, made dead letters, by table",
            self.dead_lettered.clone(),
        );
        registry.register("dead_letters", "Dead letters now", self.dead_letters.clone());
        registry.register(
            "dead_letters_bytes",
            "Bytes of the dead letters",
            self.dead_letters_bytes.clone(),
        );
    }

    pub(crate) fn accepted(&self, table: Table, events: u32) {
        self.accepted.get_or_create(&TableLabel { table: table.name() }).inc_by(events.into());
    }

    pub(crate) fn dropped(&self, reason: DropReason) {
        self.dropped.get_or_create(&Reason { reason: reason.tag() }).inc();
    }

    pub(crate) fn rejected(&self, tag: &'static str) {
        self.rejected.get_or_create(&Reason { reason: tag }).inc();
    }

    pub(crate) fn inserted(&self, table: Table, rows: u64) {
        self.inserted.get_or_create(&TableLabel { table: table.name() }).inc_by(rows);
    }

    pub(crate) fn dead_letter(&self, table: Table) {
        self.dead_lettered.get_or_create(&TableLabel { table: table.name() }).inc();
    }

    /// What is told beside the counts, as it is now.
    pub(crate) fn dead_letters_are(&self, letters: u64, bytes: u64) {
        self.dead_letters.set(letters);
        self.dead_letters_bytes.set(bytes);
    }

    /// Everything as text.
    pub(crate) fn text(&self, spool_bytes: u64, spool_blocks: usize) -> String {
        self.spool_bytes.set(spool_bytes);
        self.spool_blocks.set(spool_blocks as u64);
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &self.registry) {
            tracing::error!(%error, "the metrics cannot be written");
        }
        text
    }
}
