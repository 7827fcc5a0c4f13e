//! The load: so many connections, each with its next request when the last is answered, or all
//! together at a fixed rate. Prints one line of JSON.

mod connection;
mod visits;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::task::LocalSet;
use tokio::time::MissedTickBehavior;

use connection::Connection;
use visits::Visits;

/// A slot at a fixed rate: short enough that the load is even, long enough for the timer.
const SLOT: Duration = Duration::from_millis(5);

/// Turns of the runtime between two looks at the connections.
const EVENT_INTERVAL: u32 = 16;

/// Sends visits to a collector
#[derive(Parser)]
struct Arguments {
    /// Where the collector listens
    #[arg(long)]
    address: String,
    /// The site the events are of
    #[arg(long, default_value = "shop")]
    site: String,
    /// Events of one request
    #[arg(long, default_value_t = 1)]
    events: usize,
    /// Connections, each with one request at a time
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Seconds that are measured
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Seconds before them that are not
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// Events a second; as fast as they are answered where left out
    #[arg(long)]
    rate: Option<f64>,
}

/// What is printed.
#[derive(Debug, Serialize)]
struct Measured {
    requests: u64,
    events: u64,
    /// With those of the warm-up.
    events_sent: u64,
    seconds: f64,
    requests_per_second: f64,
    events_per_second: f64,
    p50_us: u64,
    p99_us: u64,
    max_us: u64,
    /// Answered other than 202.
    refused: u64,
}

struct Run {
    visits: Visits,
    measuring_from: Instant,
    until: Instant,
    latencies: Histogram<u64>,
    requests: u64,
    requests_sent: u64,
    refused: u64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .event_interval(EVENT_INTERVAL)
        .build()?;
    let measured = LocalSet::new().block_on(&runtime, run(&arguments))?;
    #[expect(clippy::print_stdout, reason = "the result of the run")]
    {
        println!("{}", serde_json::to_string(&measured)?);
    }
    Ok(())
}

async fn run(arguments: &Arguments) -> Result<Measured> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis().try_into()?;
    let visits = Visits::new(&arguments.site, arguments.events, now);
    let mut connections = Vec::new();
    for _ in 0..arguments.connections {
        connections.push(Connection::open(&arguments.address).await?);
    }
    let measuring_from = Instant::now() + Duration::from_secs_f64(arguments.warm_up);
    let until = measuring_from + Duration::from_secs_f64(arguments.seconds);
    let latencies = Histogram::new_with_bounds(1, 60_000_000, 3)?;
    let run =
        Run { visits, measuring_from, until, latencies, requests: 0, requests_sent: 0, refused: 0 };
    let run = Rc::new(RefCell::new(run));
    let every = arguments.rate.map(|rate| {
        let requests = rate / arguments.events as f64 / arguments.connections as f64;
        Duration::from_secs_f64(1.0 / requests).max(Duration::from_micros(1))
    });
    if arguments.rate.is_none() {
        tokio::task::spawn_local(never_idle());
    }
    let mut tasks = tokio::task::JoinSet::new();
    for (n, connection) in connections.into_iter().enumerate() {
        let offset = every.map(|every| every * n as u32 / arguments.connections as u32);
        tasks.spawn_local(send(connection, Rc::clone(&run), every.zip(offset)));
    }
    while let Some(sent) = tasks.join_next().await {
        sent.context("a connection's task ended")??;
    }
    let run = run.borrow();
    ensure!(run.requests > 0, "nothing was answered");
    let seconds = arguments.seconds;
    let events = run.requests * arguments.events as u64;
    Ok(Measured {
        requests: run.requests,
        events,
        events_sent: run.requests_sent * arguments.events as u64,
        seconds,
        requests_per_second: run.requests as f64 / seconds,
        events_per_second: events as f64 / seconds,
        p50_us: run.latencies.value_at_quantile(0.5),
        p99_us: run.latencies.value_at_quantile(0.99),
        max_us: run.latencies.max(),
        refused: run.refused,
    })
}

/// Keeps this program's thread awake. Waking it would be the server's work: on a virtual machine it
/// costs several microseconds an answer, and the slower of two servers would pay it more often.
async fn never_idle() {
    loop {
        tokio::task::yield_now().await;
    }
}

/// Sends until the run's end. At a fixed rate a request counts from when it was due, so that a
/// collector that stalls does not hide what came late.
async fn send(
    mut connection: Connection,
    run: Rc<RefCell<Run>>,
    pace: Option<(Duration, Duration)>,
) -> Result<()> {
    let mut request = Vec::new();
    let mut due = Instant::now() + pace.map_or(Duration::ZERO, |(_, offset)| offset);
    let mut slots = tokio::time::interval(SLOT);
    slots.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        while pace.is_some() && due > Instant::now() {
            slots.tick().await;
        }
        let began = if pace.is_some() { due } else { Instant::now() };
        if began >= run.borrow().until {
            return Ok(());
        }
        request.clear();
        request.extend_from_slice(run.borrow_mut().visits.next());
        let status = connection.ask(&request).await?;
        let mut run = run.borrow_mut();
        run.requests_sent += 1;
        let now = Instant::now();
        if began >= run.measuring_from && now <= run.until {
            run.requests += 1;
            run.refused += u64::from(status != 202);
            run.latencies.saturating_record((now - began).as_micros() as u64);
        }
        due += pace.map_or(Duration::ZERO, |(every, _)| every);
    }
}
