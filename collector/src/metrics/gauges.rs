//! What is not counted but looked at when somebody asks.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{Number, Series, registered};
use crate::dead_letters::Fill;

/// The collector's state at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Now {
    pub(crate) spool_bytes: u64,
    pub(crate) spool_bytes_max: u64,
    pub(crate) spool_blocks: usize,
    /// How long the oldest event has waited for ClickHouse.
    pub(crate) waiting: Duration,
    pub(crate) dead_letters: Fill,
    pub(crate) sites: usize,
    pub(crate) clickhouse_answers: bool,
    pub(crate) clickhouse_takes_rows: bool,
    pub(crate) spool_works: bool,
    /// How often a user agent was remembered, and how often it was read.
    pub(crate) user_agents: (u64, u64),
    /// When the oldest of the geo and of the network files was built, in seconds since 1970.
    pub(crate) geo_built: u64,
    pub(crate) asn_built: u64,
    /// Milliseconds since 1970.
    pub(crate) certificate_expires_at: Option<i64>,
}

#[derive(Debug)]
pub(super) struct Gauges {
    spool_bytes: Number,
    spool_bytes_max: Number,
    spool_blocks: Number,
    lag_seconds: Gauge<f64, std::sync::atomic::AtomicU64>,
    dead_letters: Number,
    dead_letters_bytes: Number,
    sites: Number,
    clickhouse_answers: Number,
    clickhouse_takes_rows: Number,
    spool_works: Number,
    user_agents: Series<Counter>,
    geo_built: Series<Number>,
    certificate_expires_at: Gauge,
    last_insert_at: Gauge,
}

impl Gauges {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let user_agents = Series::of("cache", ["hit", "miss"], Counter::default);
        let geo_built = Series::of("file", ["geo", "asn"], Number::default);
        let registry_of = &mut *registry;
        let mut number = |name, help| registered(registry_of, name, help, Number::default());
        Self {
            spool_bytes: number("spool_bytes", "Bytes in the spool"),
            spool_bytes_max: number("spool_bytes_max", "Bytes the spool may hold"),
            spool_blocks: number("spool_blocks", "Blocks waiting for ClickHouse"),
            dead_letters: number("dead_letters", "Dead letters now"),
            dead_letters_bytes: number("dead_letters_bytes", "Bytes of the dead letters"),
            sites: number("sites", "Sites known"),
            clickhouse_answers: number("clickhouse_answers", "Whether ClickHouse answered last"),
            clickhouse_takes_rows: number(
                "clickhouse_takes_rows",
                "Whether ClickHouse took the last insert",
            ),
            spool_works: number("spool_works", "Whether the spool's files could be used last"),
            lag_seconds: registered(
                registry,
                "lag_seconds",
                "How long the oldest event on the spool has waited for ClickHouse",
                Gauge::default(),
            ),
            user_agents: registered(
                registry,
                "user_agents",
                "User agents asked for, by whether they were remembered",
                user_agents,
            ),
            geo_built: registered(
                registry,
                "geo_built_timestamp_seconds",
                "When the oldest of these files was built; nought where there is none",
                geo_built,
            ),
            certificate_expires_at: registered(
                registry,
                "tls_certificate_expiry_timestamp_seconds",
                "When the certificate in use expires; nought without TLS",
                Gauge::default(),
            ),
            last_insert_at: registered(
                registry,
                "last_insert_timestamp_seconds",
                "When ClickHouse last took rows; nought before the first",
                Gauge::default(),
            ),
        }
    }

    pub(super) fn last_insert(&self, now_millis: i64) {
        self.last_insert_at.set(now_millis / 1000);
    }

    pub(super) fn set(&self, now: &Now) {
        self.spool_bytes.set(now.spool_bytes);
        self.spool_bytes_max.set(now.spool_bytes_max);
        self.spool_blocks.set(now.spool_blocks as u64);
        self.lag_seconds.set(now.waiting.as_secs_f64());
        self.dead_letters.set(now.dead_letters.letters);
        self.dead_letters_bytes.set(now.dead_letters.bytes);
        self.sites.set(now.sites as u64);
        self.clickhouse_answers.set(now.clickhouse_answers.into());
        self.clickhouse_takes_rows.set(now.clickhouse_takes_rows.into());
        self.spool_works.set(now.spool_works.into());
        for (place, count) in [now.user_agents.0, now.user_agents.1].into_iter().enumerate() {
            if let Some(counter) = self.user_agents.at(place) {
                counter.inner().store(count, std::sync::atomic::Ordering::Relaxed);
            }
        }
        for (place, built) in [now.geo_built, now.asn_built].into_iter().enumerate() {
            if let Some(gauge) = self.geo_built.at(place) {
                gauge.set(built);
            }
        }
        self.certificate_expires_at.set(now.certificate_expires_at.unwrap_or_default() / 1000);
    }
}
