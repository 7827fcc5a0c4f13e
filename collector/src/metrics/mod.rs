//! What the collector counts, in the Prometheus text format at `/metrics`. docs/OPERATING.md has the
//! table of it, and a test holds the two together.

mod gauges;
mod histogram;
mod process;
mod series;

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use gauges::Gauges;
pub(crate) use gauges::Now;
pub(crate) use histogram::Histogram;
use process::Process;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry};
pub(crate) use series::Series;

use crate::enrich::{Scrubbed, VisitCounts};
use crate::error::Rejection;
use crate::receive::Way;
use crate::sink::Failure;
use crate::spool::block::Table;
use crate::tls::HandshakeFailure;
use crate::validate::{DropReason, PropertiesLeftOut};

/// What is never negative.
type Number = Gauge<u64, AtomicU64>;

/// The answers' statuses; any other is `other`.
const STATUSES: [(u16, &str); 17] = [
    (200, "200"),
    (202, "202"),
    (204, "204"),
    (302, "302"),
    (304, "304"),
    (400, "400"),
    (401, "401"),
    (403, "403"),
    (404, "404"),
    (405, "405"),
    (408, "408"),
    (413, "413"),
    (415, "415"),
    (429, "429"),
    (500, "500"),
    (503, "503"),
    (0, "other"),
];

#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    receive: Receive,
    rows: Rows,
    pub(crate) tls_reloads: Reloads,
    /// Counted by the enricher.
    pub(crate) visits: VisitCounts,
    /// Counted by the spool.
    pub(crate) spool_seconds: SpoolSeconds,
    pub(crate) inserts: Inserts,
    /// Counted by the archive.
    pub(crate) archive: ArchiveCounts,
    pub(crate) blocks_inserted: Counter,
    pub(crate) inserts_retried: Counter,
    pub(crate) blocks_rejected: Counter,
    pub(crate) blocks_damaged: Counter,
    pub(crate) connections: Gauge,
    pub(crate) connections_gave_way: Counter,
    pub(crate) connections_refused: Counter,
    gauges: Gauges,
    process: Process,
}

/// Why a request's head was refused.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HeadRefused {
    /// No HTTP/1.
    Malformed,
    TooLarge,
}

impl HeadRefused {
    const ALL: [Self; 2] = [Self::Malformed, Self::TooLarge];

    const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
        }
    }

    /// Where a connection ended by one.
    pub(crate) fn of(error: &hyper::Error) -> Option<Self> {
        if error.is_parse_too_large() {
            return Some(Self::TooLarge);
        }
        error.is_parse().then_some(Self::Malformed)
    }
}

/// How often a file was read again, and with what outcome.
#[derive(Clone, Debug)]
pub(crate) struct Reloads {
    pub(crate) taken: Counter,
    pub(crate) refused: Counter,
}

/// How long the spool takes.
#[derive(Clone, Debug)]
pub(crate) struct SpoolSeconds {
    /// To append a request's rows, the wait for the disk not included.
    pub(crate) append: Histogram,
    /// For one fsync.
    pub(crate) sync: Histogram,
}

impl Default for SpoolSeconds {
    fn default() -> Self {
        Self {
            append: Histogram::of_seconds(Duration::from_micros(1), 20),
            sync: Histogram::of_seconds(Duration::from_micros(50), 18),
        }
    }
}

/// What the archive was given, and what it holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct ArchiveCounts {
    pub(crate) kept: Counter,
    /// In ClickHouse all the same.
    pub(crate) failed: Counter,
    pub(crate) bytes: Number,
}

/// What was handed to ClickHouse at a time.
#[derive(Clone, Debug)]
pub(crate) struct Inserts {
    pub(crate) seconds: Histogram,
    pub(crate) rows: Histogram,
    pub(crate) bytes: Histogram,
}

fn registered<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

/// What is counted of requests.
#[derive(Debug)]
struct Receive {
    requests: Series<Counter>,
    seconds: Series<Histogram>,
    body_bytes: Series<Counter>,
    rejected: Series<Counter>,
    handshakes_failed: Series<Counter>,
    heads_refused: Series<Counter>,
}

/// What is counted of events and of the rows they become.
#[derive(Debug)]
struct Rows {
    accepted: Series<Counter>,
    dropped: Series<Counter>,
    scrubbed: Series<Counter>,
    properties_left_out: Series<Counter>,
    inserted: Series<Counter>,
    dead: Series<Counter>,
    left_out_letters: Series<Counter>,
    insert_failures: Series<Counter>,
}

/// One counter for each value of a label.
fn counters(
    registry: &mut Registry,
    name: &str,
    help: &str,
    label: &'static str,
    values: impl IntoIterator<Item = &'static str>,
) -> Series<Counter> {
    registered(registry, name, help, Series::of(label, values, Counter::default))
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut all = Registry::default();
        let process = Process::registered(&mut all);
        let registry = all.sub_registry_with_prefix("collector");
        let version = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program's version", version);
        let receive = Receive::registered(registry);
        let rows = Rows::registered(registry);
        let mut count = |name, help| registered(registry, name, help, Counter::default());
        Self {
            receive,
            rows,
            connections_gave_way: count(
                "connections_gave_way",
                "Quiet connections asked to end so that others find room",
            ),
            connections_refused: count(
                "connections_refused",
                "Connections closed at once, their address had too many",
            ),
            blocks_inserted: count("blocks_inserted", "Blocks ClickHouse took"),
            inserts_retried: count("inserts_retried", "Tries to insert that failed for now"),
            blocks_rejected: count("blocks_rejected", "Blocks ClickHouse refused, set aside"),
            blocks_damaged: count("blocks_damaged", "Spool files damaged or gone"),
            tls_reloads: Reloads::registered(registry),
            visits: visits(registry),
            spool_seconds: SpoolSeconds::registered(registry),
            inserts: Inserts::registered(registry),
            archive: ArchiveCounts::registered(registry),
            connections: registered(registry, "connections", "Connections now", Gauge::default()),
            gauges: Gauges::registered(registry),
            process,
            registry: all,
        }
    }

    /// A request was answered.
    pub(crate) fn answered(&self, way: Way, status: u16, took: Duration) {
        let other = STATUSES.len() - 1;
        let status = STATUSES.iter().position(|known| known.0 == status).unwrap_or(other);
        if let Some(requests) = self.receive.requests.at(way as usize * STATUSES.len() + status) {
            requests.inc();
        }
        if let Some(seconds) = self.receive.seconds.at(way as usize) {
            seconds.observe_time(took);
        }
    }

    /// A body was read.
    pub(crate) fn received(&self, way: Way, bytes: usize) {
        add(self.receive.body_bytes.at(way as usize), bytes as u64);
    }

    pub(crate) fn accepted(&self, table: Table, events: u32) {
        add(self.rows.accepted.at(table as usize), events.into());
    }

    pub(crate) fn dropped(&self, reason: DropReason) {
        add(self.rows.dropped.at(reason as usize), 1);
    }

    pub(crate) fn rejected(&self, tag: &'static str) {
        add(self.receive.rejected.named(tag), 1);
    }

    pub(crate) fn scrubbed(&self, scrubbed: Scrubbed) {
        for (place, count) in [scrubbed.emails, scrubbed.cards].into_iter().enumerate() {
            if count > 0 {
                add(self.rows.scrubbed.at(place), count.into());
            }
        }
    }

    /// Of events that were taken.
    pub(crate) fn properties_left_out(&self, left_out: PropertiesLeftOut) {
        for (place, count) in left_out.counts().into_iter().enumerate() {
            if count > 0 {
                add(self.rows.properties_left_out.at(place), count.into());
            }
        }
    }

    pub(crate) fn inserted(&self, table: Table, rows: u64) {
        add(self.rows.inserted.at(table as usize), rows);
    }

    pub(crate) fn dead_letter(&self, table: Table) {
        add(self.rows.dead.at(table as usize), 1);
    }

    /// Of an event that was left out and is to be kept.
    pub(crate) fn left_out_kept(&self, kept: bool) {
        add(self.rows.left_out_letters.at(usize::from(!kept)), 1);
    }

    pub(crate) fn insert_failed(&self, failure: Failure) {
        self.inserts_retried.inc();
        add(self.rows.insert_failures.at(failure as usize), 1);
    }

    pub(crate) fn handshake_failed(&self, failure: HandshakeFailure) {
        add(self.receive.handshakes_failed.at(failure as usize), 1);
    }

    /// A request's head was refused before there was a request, so no tag and no answer counts it.
    pub(crate) fn head_refused(&self, head: HeadRefused) {
        add(self.receive.heads_refused.at(head as usize), 1);
    }

    /// Notes that ClickHouse has taken rows, by the clock.
    pub(crate) fn inserted_at(&self, now_millis: i64) {
        self.gauges.last_insert(now_millis);
    }

    /// Everything as text.
    pub(crate) fn text(&self, now: &Now) -> String {
        self.gauges.set(now);
        self.process.look();
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &self.registry) {
            tracing::error!(%error, "the metrics cannot be written");
        }
        text
    }
}

fn add(counter: Option<&Counter>, count: u64) {
    if let Some(counter) = counter {
        counter.inc_by(count);
    }
}

impl Receive {
    fn registered(registry: &mut Registry) -> Self {
        let ways = Way::ALL.map(Way::name);
        let labels = ways
            .into_iter()
            .flat_map(|way| STATUSES.map(|(_, status)| vec![("way", way), ("status", status)]));
        let requests = Series::with_labels(labels, Counter::default);
        let tags = Rejection::all().into_iter().map(|rejection| rejection.spec().tag);
        let failures = HandshakeFailure::ALL.map(HandshakeFailure::name);
        Self {
            requests: registered(
                registry,
                "requests",
                "Requests answered, by way in and status",
                requests,
            ),
            seconds: registered(
                registry,
                "request_seconds",
                "Time from a request's head to its answer, by way in",
                Series::of("way", ways, request_seconds),
            ),
            body_bytes: counters(
                registry,
                "body_bytes",
                "Bytes of bodies, as they were before they were compressed, by way in",
                "way",
                ways,
            ),
            rejected: counters(
                registry,
                "requests_rejected",
                "Requests refused, by tag",
                "reason",
                tags,
            ),
            handshakes_failed: counters(
                registry,
                "tls_handshakes_failed",
                "Connections that came to no request, by reason",
                "reason",
                failures,
            ),
            heads_refused: counters(
                registry,
                "heads_refused",
                "Requests' heads that were refused, without a tag, by reason",
                "reason",
                HeadRefused::ALL.map(HeadRefused::name),
            ),
        }
    }
}

impl Rows {
    fn registered(registry: &mut Registry) -> Self {
        let tables = Table::ALL.map(Table::name);
        let events = [Table::Events, Table::BotEvents].map(Table::name);
        let reasons = DropReason::ALL.map(DropReason::tag);
        let failures = Failure::ALL.map(Failure::name);
        let mut by = |name, help, label, values: &[&'static str]| {
            counters(registry, name, help, label, values.iter().copied())
        };
        Self {
            accepted: by("events_accepted", "Events on disk, by table", "table", &events),
            dropped: by("events_dropped", "Events left out, by reason", "reason", &reasons),
            scrubbed: by(
                "texts_scrubbed",
                "E-mail addresses and card numbers replaced, by kind",
                "kind",
                &["email", "card"],
            ),
            properties_left_out: by(
                "properties_left_out",
                "Properties of accepted events that were left out, by reason",
                "reason",
                &PropertiesLeftOut::REASONS,
            ),
            inserted: by("rows_inserted", "Rows ClickHouse took, by table", "table", &tables),
            dead: by(
                "rows_dead",
                "Rows ClickHouse refused, made dead letters, by table",
                "table",
                &tables,
            ),
            left_out_letters: by(
                "left_out_letters",
                "Left out events to be kept, by whether there was room",
                "outcome",
                &["kept", "no_room"],
            ),
            insert_failures: by(
                "insert_failures",
                "Tries to insert that failed for now, by reason",
                "reason",
                &failures,
            ),
        }
    }
}

/// 50 microseconds, twice that, and so on to 26 seconds.
fn request_seconds() -> Histogram {
    Histogram::of_seconds(Duration::from_micros(50), 20)
}

fn visits(registry: &mut Registry) -> VisitCounts {
    let visits = VisitCounts::default();
    registry.register("places", "Visits by whether their country was found", visits.places.clone());
    registry.register("bot_visits", "Visits of programs, by layer", visits.bots.clone());
    visits
}

impl Reloads {
    fn registered(registry: &mut Registry) -> Self {
        let outcomes = Series::of("outcome", ["taken", "refused"], Counter::default);
        let counter = |outcome| outcomes.named(outcome).cloned().unwrap_or_default();
        let reloads = Self { taken: counter("taken"), refused: counter("refused") };
        registry.register("tls_reloads", "Certificates read again, by outcome", outcomes);
        reloads
    }
}

impl SpoolSeconds {
    fn registered(registry: &mut Registry) -> Self {
        let seconds = Self::default();
        registry.register(
            "spool_append_seconds",
            "Time to append a request's rows",
            seconds.append.clone(),
        );
        registry.register("spool_sync_seconds", "Time of an fsync", seconds.sync.clone());
        seconds
    }
}

impl ArchiveCounts {
    fn registered(registry: &mut Registry) -> Self {
        let blocks = Series::of("outcome", ["kept", "failed"], Counter::default);
        let counter = |outcome| blocks.named(outcome).cloned().unwrap_or_default();
        let bytes =
            registered(registry, "archive_bytes", "Bytes in the archive", Number::default());
        let counts = Self { kept: counter("kept"), failed: counter("failed"), bytes };
        registry.register(
            "archive_blocks",
            "Blocks that are in ClickHouse and were to be archived, by outcome",
            blocks,
        );
        counts
    }
}

impl Inserts {
    fn registered(registry: &mut Registry) -> Self {
        // A millisecond to 33 seconds and beyond; up to a million rows; up to 64 MiB.
        let seconds = Histogram::of_seconds(Duration::from_millis(1), 16);
        let (rows, bytes) = (Histogram::of_numbers(1, 11), Histogram::of_numbers(1024, 9));
        registry.register("insert_seconds", "Time of an insert that succeeded", seconds.clone());
        registry.register("insert_rows", "Rows of an insert that succeeded", rows.clone());
        registry.register("insert_bytes", "Bytes of an insert that succeeded", bytes.clone());
        Self { seconds, rows, bytes }
    }
}

#[cfg(test)]
mod tests;
