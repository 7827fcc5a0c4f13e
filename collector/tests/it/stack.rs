//! A collector on a runtime of its own, so that it can be killed: dropping a runtime ends every task
//! where it stands.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use collector::{Assets, CollectorConfig, CollectorError, Handle, ManualClock};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use store::Server;
use store::site::{Site, SiteSettings};
use store::testing::TestDatabase;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::http::{Answer, exchange, send};

/// The time at which tests happen.
pub(crate) const NOW: i64 = 1_800_000_000_000;
/// How long anything may take before a test fails, on a machine that does much else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(20);
/// A port where nothing listens (discard, which no test machine serves).
const NOBODY: &str = "http://127.0.0.1:9";

pub(crate) const VISITOR: &str = "018f4d5e-0000-7000-8000-00000000000a";

/// An optional part of the tracker.
pub(crate) const PART: &[u8] = b"export default (footfall) => footfall('part')";

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    collector: CollectorConfig,
}

pub(crate) struct Collector {
    runtime: Option<tokio::runtime::Runtime>,
    pub(crate) address: SocketAddr,
    pub(crate) handle: Handle,
    /// What time it is there.
    pub(crate) clock: Arc<ManualClock>,
    shutdown: Option<oneshot::Sender<()>>,
    ended: oneshot::Receiver<Result<(), CollectorError>>,
}

impl Collector {
    /// Starts with these flags, on this data folder. It takes requests when it knows what ClickHouse has to tell,
    /// however busy that is.
    pub(crate) async fn start(data_dir: &Path, server: &Server, flags: &[&str]) -> Self {
        let config = Arguments::parse_from(arguments(flags)).collector;
        let whole =
            b"site(__FOOTFALL_SITE__, __FOOTFALL_VERSION__, __FOOTFALL_SETTINGS__, \"p\x11\x03\x1d\xe9\")";
        let streaming = "stream(__FOOTFALL_SITE__, __FOOTFALL_VERSION__)";
        let assets = Assets::new(whole, streaming, b"\0asm").unwrap();
        let assets = assets.with_parts(&[("forms", PART)]);
        let settings = config.check_with(data_dir, assets).unwrap();
        let clock = Arc::new(ManualClock::at(NOW));
        let settings = settings.with_clock(clock.clone()).with_known_timeout(PATIENCE);
        let handle = settings.handle();
        let (shutdown, stop) = oneshot::channel::<()>();
        let (tell_end, ended) = oneshot::channel();
        let (tell_address, address) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        // Connections of a client live on the runtime that made them, so this one has its own.
        let server = Server::new(server.address());
        runtime.spawn(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell_address.send(listener.local_addr().unwrap()).unwrap();
            let stopped = async { stop.await.unwrap_or(()) };
            let ended = collector::run(settings, listener, server, stopped).await;
            drop(tell_end.send(ended));
        });
        let address = within("it listens", address).await.unwrap();
        // It answers, or it has ended with an error that the test is about.
        let alive = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let _answered_or_ended = exchange(address, alive).await;
        Self { runtime: Some(runtime), address, handle, clock, shutdown: Some(shutdown), ended }
    }

    /// Ends it as the system would: nothing is finished, nothing drained.
    pub(crate) async fn kill(mut self) {
        let runtime = self.runtime.take().unwrap();
        tokio::task::spawn_blocking(move || drop(runtime)).await.unwrap();
    }

    /// Stops it as it should be; returns when it has drained.
    pub(crate) async fn stop(mut self) {
        let runtime = self.runtime.take().unwrap();
        self.shutdown.take().unwrap().send(()).unwrap();
        // The requests under way, and then the spool.
        let ended = tokio::time::timeout(2 * PATIENCE, &mut self.ended).await;
        ended.expect("the collector has not stopped").unwrap().unwrap();
        tokio::task::spawn_blocking(move || drop(runtime)).await.unwrap();
    }

    /// How it ended by itself.
    pub(crate) async fn ended(mut self) -> Result<(), CollectorError> {
        let runtime = self.runtime.take().unwrap();
        let ended = within("the collector ends", &mut self.ended).await.unwrap();
        tokio::task::spawn_blocking(move || drop(runtime)).await.unwrap();
        ended
    }

    pub(crate) async fn post(&self, batch: &Value) -> Answer {
        self.post_as(&[], batch).await
    }

    pub(crate) async fn post_as(&self, headers: &[(&str, &str)], batch: &Value) -> Answer {
        send(self.address, "POST", "/v1/events", headers, batch.to_string().as_bytes()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.address, "GET", path, &[], b"").await
    }

    /// Waits until a metric is as it should be, and fails with all of them.
    pub(crate) async fn comes_to(&self, series: &str, is_so: impl Fn(f64) -> bool) {
        let began = Instant::now();
        loop {
            let metrics = self.get("/metrics").await;
            if is_so(value(metrics.text(), series)) {
                return;
            }
            let text = metrics.text();
            assert!(began.elapsed() < PATIENCE, "{series} does not come to it:\n{text}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// The flags, and those of every test that it does not say otherwise.
fn arguments<'a>(flags: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec!["collector"];
    for (name, value) in [("--flush-age", "50ms"), ("--drain-timeout", "60s")] {
        if !flags.contains(&name) {
            all.extend([name, value]);
        }
    }
    all.extend(flags);
    all
}

/// The number at the end of a metric's line.
pub(crate) fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{series} is not in\n{text}")).parse().unwrap()
}

impl Drop for Collector {
    /// A runtime must not be waited for from within another.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A data folder, a database with the site `shop`, and a collector between them.
pub(crate) struct Stack {
    pub(crate) collector: Collector,
    pub(crate) data_dir: TempDir,
    pub(crate) database: TestDatabase,
}

impl Stack {
    pub(crate) async fn up(flags: &[&str]) -> Self {
        let database = database().await;
        let data_dir = TempDir::new().unwrap();
        let collector = Collector::start(data_dir.path(), database.server(), flags).await;
        Self { collector, data_dir, database }
    }

    /// Drains, and gives the answer to a question about what is stored then.
    pub(crate) async fn stored<T: DeserializeOwned>(self, question: &str) -> Vec<T> {
        self.collector.stop().await;
        rows(&self.database, question).await
    }
}

pub(crate) async fn database() -> TestDatabase {
    let database = TestDatabase::create().await;
    add_site(&database, "shop").await;
    database
}

pub(crate) async fn add_site(database: &TestDatabase, name: &str) {
    let origins = vec!["https://shop.example".parse().unwrap()];
    let settings = SiteSettings { origins, ..SiteSettings::default() };
    let site = Site { name: name.parse().unwrap(), settings };
    store::site::add(database.server(), &site, NOW).await.unwrap();
}

/// A server that is away; the folder knows the site `shop` from before.
pub(crate) fn away(data_dir: &Path) -> Server {
    let exclude = [
        "network=192.0.2.0/24",
        "country=HR",
        "user-agent=uptime",
        "path=/admin",
        "host=staging.shop.example",
        "referrer=spam.example",
    ];
    let sites = json!([{"name": "shop", "origins": ["https://shop.example"], "exclude": exclude}]);
    std::fs::write(data_dir.join("sites.json"), sites.to_string()).unwrap();
    nobody()
}

/// A server that is away.
pub(crate) fn nobody() -> Server {
    Server::new(&NOBODY.parse().unwrap())
}

/// A collector whose ClickHouse is away, and its folder.
pub(crate) async fn alone(flags: &[&str]) -> (Collector, TempDir) {
    let data_dir = TempDir::new().unwrap();
    let server = away(data_dir.path());
    (Collector::start(data_dir.path(), &server, flags).await, data_dir)
}

/// Rows as JSON objects.
pub(crate) async fn rows<T: DeserializeOwned>(database: &TestDatabase, question: &str) -> Vec<T> {
    let mut lines = database.server().client().query(question).fetch_bytes("JSONEachRow").unwrap();
    let bytes = lines.collect().await.unwrap();
    bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

pub(crate) async fn count(database: &TestDatabase, table: &str) -> u64 {
    let question = format!("SELECT count() FROM {table}");
    database.server().client().query(&question).fetch_one().await.unwrap()
}

/// Waits for something that happens by itself.
pub(crate) async fn eventually<F: Future<Output = bool>>(
    what: &str,
    mut happened: impl FnMut() -> F,
) {
    let began = Instant::now();
    while !happened().await {
        assert!(began.elapsed() < PATIENCE, "in {PATIENCE:?} it did not happen: {what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// What comes by itself, or a failure that says what did not.
pub(crate) async fn within<T>(what: &str, coming: impl Future<Output = T>) -> T {
    let come = tokio::time::timeout(PATIENCE, coming).await;
    come.unwrap_or_else(|_| panic!("in {PATIENCE:?} it did not happen: {what}"))
}

/// A page view with a number for its id.
pub(crate) fn page_view(number: u64) -> Value {
    json!({
        "id": format!("018f4d5e-0000-7000-8000-{number:012x}"),
        "type": "page_view",
        "at": NOW,
        "visitor": VISITOR,
        "session": VISITOR,
        "url": "https://shop.example/",
    })
}

/// The event with these fields set, or taken away by null.
pub(crate) fn with(mut event: Value, fields: &Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        if value.is_null() {
            event.as_object_mut().unwrap().remove(name);
        } else {
            event[name] = value.clone();
        }
    }
    event
}

pub(crate) fn batch(events: &[Value]) -> Value {
    json!({"site": "shop", "sent_at": NOW, "events": events})
}

/// Every file under a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
