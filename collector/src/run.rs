//! The collector's life: start, serve, drain.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use store::Server;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::archive::Keeper;
use crate::config::Settings;
use crate::cookieless::DailySalts;
use crate::dead_letters::{DeadLetters, LeftOut};
use crate::enrich::LiveEnricher;
use crate::error::CollectorError;
use crate::gate::{Gates, raise_open_files};
use crate::health::Health;
use crate::metrics::Metrics;
use crate::pipeline::Pipeline;
use crate::reload::Reload;
use crate::server::Door;
use crate::sink::{ClickHouseSink, Draining, Splitter, WayOut};
use crate::sites::Sites;
use crate::spool::{Found, Spool};
use crate::suppressed::Suppressed;

/// How long the start waits for each thing that ClickHouse has to tell: the sites, the day's salt, who is
/// suppressed, what quotas have left; then it serves with the last copies.
pub(crate) const KNOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// How old the count of the dead letters may be.
const MEASURE_EVERY: Duration = Duration::from_secs(10);

/// How much too old an archived block may be.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// Collects until `shutdown`; then takes no more, finishes what it has begun, and drains the spool
/// into ClickHouse. What ClickHouse does not take in time waits on disk for the next start.
///
/// Dropping the future instead ends everything at once, as `kill -9` would; nothing answered is lost.
///
/// # Errors
/// When the spool cannot be used, or a part of the collector ends that must not.
pub async fn run(
    settings: Settings,
    listener: TcpListener,
    server: Server,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), CollectorError> {
    raise_open_files(settings.connections_max);
    let spool_dir = settings.data_dir.join("spool");
    let (spool, found) = Spool::open(&spool_dir, settings.limits, settings.durability)?;
    let metrics = Arc::new(Metrics::new());
    tell_found(&found, &metrics);
    let spool = Arc::new(spool.timed_by(metrics.spool_seconds.clone()));
    let health = Arc::new(Health::default());
    let (sites, salts, suppressed) = known(&settings, &server, &health).await;
    let dead = Arc::new(DeadLetters::bounded(&settings.data_dir, settings.dead_letters_bytes_max));
    let (stop_draining, stopping) = watch::channel(false);

    // Owned here, so that they end with this future.
    let mut tasks = JoinSet::new();
    keep_spool(&spool, &health, settings.limits.block_age_max, &mut tasks);
    tasks.spawn(keep_sites_fresh(Arc::clone(&sites), server.clone(), Arc::clone(&health)));
    let gates = gates(&settings, &server, &sites, &mut tasks).await;
    let clock = Arc::clone(&settings.clock);
    tasks.spawn(Arc::clone(&salts).keep_fresh(server.clone(), Arc::clone(&sites), clock));
    tasks.spawn(keep_fresh(Arc::clone(&suppressed), server.clone()));
    tasks.spawn(measure_dead_letters(Arc::clone(&dead)));
    let left_out = keep_left_out(&settings, &metrics, &mut tasks);
    let archive = Keeper::open(&settings.data_dir, settings.archive);
    let archive = Arc::new(archive.counted_by(metrics.archive.clone()));
    tasks.spawn(keep_archive_young(Arc::clone(&archive)));
    let mut draining = Draining::start({
        // With connections of its own, which live on its thread.
        let server = Server::new(server.address());
        let (spool, metrics, health) =
            (Arc::clone(&spool), Arc::clone(&metrics), Arc::clone(&health));
        let (dead, clock) = (Arc::clone(&dead), Arc::clone(&settings.clock));
        move || async move {
            let way_out = WayOut {
                spool: &spool,
                sink: &ClickHouseSink::new(&server),
                splitter: Splitter { dead: &dead, clock: &*clock, metrics: &metrics },
                archive: &archive,
                health: &health,
            };
            way_out.drain(stopping).await;
        }
    })
    .map_err(CollectorError::Thread)?;

    let enricher = enricher(&settings, &metrics);
    let pipeline = Pipeline {
        clock: Arc::clone(&settings.clock),
        gates,
        sites,
        enricher,
        suppressed,
        left_out,
        salts,
        spool: Arc::clone(&spool),
        metrics,
        health: Arc::clone(&health),
        refusing: AtomicBool::new(false),
    };
    let handle = settings.handle();
    let reload = Reload::new(&pipeline, &settings, server, &health);
    tasks.spawn(reload.keep_fresh(handle.clone()));
    let drain_timeout = settings.drain_timeout;
    let door = Door { pipeline, dead, health, settings };
    handle.now_takes_requests();
    tokio::select! {
        () = crate::server::serve(door, listener, shutdown) => {}
        _ = tasks.join_next() => return Err(CollectorError::TaskEnded { task: "upkeep" }),
        () = draining.ended() => return Err(CollectorError::TaskEnded { task: "drain" }),
    }

    spool.seal();
    stop_draining.send_replace(true);
    finish(&spool, draining, drain_timeout).await;
    Ok(())
}

async fn finish(spool: &Spool, mut draining: Draining, drain_timeout: Duration) {
    if tokio::time::timeout(drain_timeout, draining.ended()).await.is_err() {
        let blocks = spool.blocks_waiting();
        tracing::warn!(
            blocks,
            "stopped before ClickHouse had taken everything; the rest waits for the next start"
        );
    }
}

/// The sites, the day's salt and who is suppressed, of ClickHouse where it answers soon.
async fn known(
    settings: &Settings,
    server: &Server,
    health: &Health,
) -> (Arc<Sites>, Arc<DailySalts>, Arc<Suppressed>) {
    let timeout = settings.known_timeout;
    let sites = Sites::load(&settings.data_dir);
    if tokio::time::timeout(timeout, sites.refresh(server, health)).await.is_err() {
        health.clickhouse_is_away(&"no answer in time");
    }
    let now = settings.clock.now_millis();
    let salts = DailySalts::load(&settings.data_dir, now);
    if tokio::time::timeout(timeout, salts.refresh(server, &sites, now)).await.is_err() {
        tracing::debug!("the day's salt is this collector's own for now");
    }
    let suppressed = Suppressed::load(&settings.data_dir);
    match tokio::time::timeout(timeout, suppressed.refresh(server)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "the suppressions are the last copy's for now"),
        Err(_) => tracing::debug!("the suppressions are the last copy's for now"),
    }
    (Arc::new(sites), Arc::new(salts), Arc::new(suppressed))
}

fn enricher(settings: &Settings, metrics: &Metrics) -> Arc<LiveEnricher> {
    let enricher = LiveEnricher::open(&settings.files, settings.page_views_per_minute_max);
    Arc::new(enricher.counting(metrics.visits.clone()))
}

fn tell_found(found: &Found, metrics: &Metrics) {
    metrics.blocks_damaged.inc_by(found.damaged.len() as u64);
    for file in &found.damaged {
        tracing::error!(file = %file.display(), "a spool file is damaged, what is whole of it is inserted");
    }
    if found.cut_bytes > 0 {
        tracing::info!(
            bytes = found.cut_bytes,
            "cut what was not written to its end and so never answered"
        );
    }
}

/// The gates, which know from the start what ClickHouse has of sites with a quota.
async fn gates(
    settings: &Settings,
    server: &Server,
    sites: &Arc<Sites>,
    tasks: &mut JoinSet<()>,
) -> Arc<Gates> {
    let gates = Arc::new(Gates::new(settings.gate.clone()));
    let used = gates.quotas.look(server, sites, settings.clock.now_millis());
    // Where ClickHouse is away, the day's count begins at nought: events are rather taken.
    drop(tokio::time::timeout(settings.known_timeout, used).await);
    tasks.spawn({
        let (gates, sites, server) = (Arc::clone(&gates), Arc::clone(sites), server.clone());
        let clock = Arc::clone(&settings.clock);
        async move { gates.quotas.keep_fresh(&server, &sites, &clock).await }
    });
    gates
}

async fn keep_sites_fresh(sites: Arc<Sites>, server: Server, health: Arc<Health>) {
    sites.keep_fresh(&server, &health).await;
}

async fn keep_fresh(suppressed: Arc<Suppressed>, server: Server) {
    suppressed.keep_fresh(&server).await;
}

/// Letters are replayed by another process, which makes room here.
async fn measure_dead_letters(dead: Arc<DeadLetters>) {
    let mut tick = tokio::time::interval(MEASURE_EVERY);
    loop {
        tick.tick().await;
        let dead = Arc::clone(&dead);
        let measured = tokio::task::spawn_blocking(move || dead.measure()).await;
        if let Ok(Err(error)) = measured {
            tracing::warn!(%error, "cannot count the dead letters");
        }
    }
}

/// Events that are left out go to their letters, the old ones of which go with time.
fn keep_left_out(settings: &Settings, metrics: &Arc<Metrics>, tasks: &mut JoinSet<()>) -> LeftOut {
    let letters =
        DeadLetters::left_out_bounded(&settings.data_dir, settings.keep_dropped_bytes_max);
    let letters = Arc::new(letters);
    let (left_out, writing) = LeftOut::new(Arc::clone(&letters), Arc::clone(metrics));
    tasks.spawn(writing);
    tasks.spawn(forget_old(letters));
    left_out
}

/// Also where none are kept any more: some may be left from before.
async fn forget_old(letters: Arc<DeadLetters>) {
    let mut tick = tokio::time::interval(MEASURE_EVERY);
    loop {
        tick.tick().await;
        let letters = Arc::clone(&letters);
        let forgotten = tokio::task::spawn_blocking(move || {
            letters.forget_old(SystemTime::now())?;
            letters.measure()
        });
        if let Ok(Err(error)) = forgotten.await {
            tracing::warn!(%error, "cannot look through the events that were left out");
        }
    }
}

/// Also where nothing is archived any more: some may be left from before.
async fn keep_archive_young(archive: Arc<Keeper>) {
    let mut tick = tokio::time::interval(FORGET_EVERY);
    loop {
        tick.tick().await;
        let archive = Arc::clone(&archive);
        let forgotten = tokio::task::spawn_blocking(move || archive.forget_old(SystemTime::now()));
        if let Ok(Err(error)) = forgotten.await {
            tracing::warn!(%error, "cannot take the old out of the archive");
        }
    }
}

fn keep_spool(
    spool: &Arc<Spool>,
    health: &Arc<Health>,
    age_max: Duration,
    tasks: &mut JoinSet<()>,
) {
    tasks.spawn(seal_by_age(Arc::clone(spool), age_max));
    tasks.spawn(sync_on_demand(Arc::clone(spool)));
    tasks.spawn(Arc::clone(health).keep_probing(Arc::clone(spool)));
}

async fn sync_on_demand(spool: Arc<Spool>) {
    spool.sync_on_demand().await;
}

async fn seal_by_age(spool: Arc<Spool>, age_max: Duration) {
    let mut tick = tokio::time::interval(
        (age_max / 4).clamp(Duration::from_millis(10), Duration::from_secs(1)),
    );
    loop {
        tick.tick().await;
        spool.seal_by_age();
    }
}
