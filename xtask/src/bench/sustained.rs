//! A steady load with ClickHouse taking the rows on the same machine: does the spool grow, and how
//! long after its answer is an event there for a question?

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};

use super::http;
use super::load::{Load, Measured};
use super::server::Server;
use crate::clickhouse::Engine;
use crate::fetch::Fetched;
use crate::place;

/// How often a marked event is sent, and how often ClickHouse is asked for the newest.
const PROBE_EVERY: Duration = Duration::from_millis(100);

/// How long after the load an event may still be on its way.
const PATIENCE: Duration = Duration::from_secs(120);

/// What was seen.
#[derive(Debug)]
pub(super) struct Sustained {
    pub(super) events_per_request: u32,
    pub(super) measured: Measured,
    /// Blocks waiting for ClickHouse, on average in the first and in the last third.
    pub(super) backlog: (f64, f64),
    /// From an event's answer to the first question that finds it: half of them, 99 of 100, and all.
    pub(super) queryable_ms: [f64; 3],
}

/// One look at the running collector.
struct Look {
    blocks_waiting: f64,
}

pub(super) fn run(profile: &str, load: Load, fetched: &Fetched, cores: usize) -> Result<Sustained> {
    let engine = Engine::start_built(profile, "bench-clickhouse", 0)?;
    let data_dir = place::target().join("bench");
    let clickhouse = engine.url.strip_prefix("http://").context("an http:// address")?;
    let clickhouse = clickhouse.split('/').next().unwrap_or(clickhouse);
    http::post(clickhouse, "/", "", SITE)?;
    let server = Server::collector(profile, &engine.url, &data_dir, &fetched.geo_file)?;
    super::core::stay_anywhere(cores)?;
    let ended = AtomicBool::new(false);
    let (measured, looks, waits) = std::thread::scope(|scope| {
        let looking = scope.spawn(|| look(&server.address, &ended));
        let probing = scope.spawn(|| probe(&server.address, clickhouse, &ended));
        let measured = load.run(profile, &server.address);
        ended.store(true, Ordering::Relaxed);
        let looks = looking.join().map_err(|_| anyhow::anyhow!("the look at the backlog broke"));
        let waits = probing.join().map_err(|_| anyhow::anyhow!("the probe broke"));
        anyhow::Ok((measured?, looks??, waits??))
    })?;
    server.stop()?;
    engine.stop()?;
    std::fs::remove_dir_all(data_dir)?;
    Ok(Sustained {
        events_per_request: load.events_per_request,
        measured,
        backlog: (third(&looks, 0), third(&looks, 2)),
        queryable_ms: [0.5, 0.99, 1.0].map(|quantile| quantile_ms(&waits, quantile)),
    })
}

/// The collector reads its sites from ClickHouse.
const SITE: &str = "INSERT INTO footfall.definitions (kind, name, body, applied_at) \
    VALUES ('site', 'shop', '{\"origins\":[\"https://shop.example\"]}', now64())";

fn look(address: &str, ended: &AtomicBool) -> Result<Vec<Look>> {
    let mut looks = Vec::new();
    while !ended.load(Ordering::Relaxed) {
        let metrics = http::get(address, "/metrics")?;
        let waiting = metrics.lines().find_map(|line| line.strip_prefix("collector_spool_blocks "));
        let blocks_waiting = waiting.context("no collector_spool_blocks")?.parse()?;
        looks.push(Look { blocks_waiting });
        std::thread::sleep(PROBE_EVERY);
    }
    Ok(looks)
}

/// Sends numbered events and asks for the highest number: rows go in by their order.
fn probe(collector: &str, clickhouse: &str, ended: &AtomicBool) -> Result<Vec<Duration>> {
    const NEWEST: &str = "SELECT max(toUInt64OrZero(properties['number'])) FROM footfall.events WHERE name = 'bench_probe'";
    let mut sent: Vec<Instant> = Vec::new();
    let mut waits: Vec<Duration> = Vec::new();
    let mut last_sent = Instant::now();
    while !ended.load(Ordering::Relaxed) || waits.len() < sent.len() {
        ensure!(last_sent.elapsed() < PATIENCE, "events are still missing after {PATIENCE:?}");
        let now = Instant::now();
        if !ended.load(Ordering::Relaxed) {
            http::post(collector, "/v1/events", "", &probe_event(sent.len() + 1)?)?;
            last_sent = Instant::now();
            sent.push(last_sent);
        }
        let newest: usize = http::post(clickhouse, "/", "", NEWEST)?.trim().parse()?;
        let found = Instant::now();
        while waits.len() < newest {
            let sent = sent.get(waits.len()).context("found what was not sent")?;
            waits.push(found - *sent);
        }
        std::thread::sleep(PROBE_EVERY.saturating_sub(now.elapsed()));
    }
    Ok(waits)
}

/// As a server sends it.
fn probe_event(number: usize) -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    Ok(format!(
        r#"{{"site":"shop","sent_at":{now},"events":[{{"id":"018f4d5e-7d1a-7c3e-9a44-{number:012}",
        "type":"custom","name":"bench_probe","at":{now},"visitor":"018f4d5e-0000-7000-8000-00000000000a",
        "properties":{{"number":{number}}}}}]}}"#
    ))
}

fn third(looks: &[Look], which: usize) -> f64 {
    let length = looks.len() / 3;
    let looks = looks.get(which * length..(which + 1) * length).unwrap_or_default();
    looks.iter().map(|look| look.blocks_waiting).sum::<f64>() / looks.len().max(1) as f64
}

fn quantile_ms(waits: &[Duration], quantile: f64) -> f64 {
    let mut waits = waits.to_vec();
    waits.sort_unstable();
    let place = (quantile * waits.len() as f64).ceil() as usize;
    waits.get(place.max(1) - 1).map_or(f64::NAN, |wait| wait.as_secs_f64() * 1e3)
}
