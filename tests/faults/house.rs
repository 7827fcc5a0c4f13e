//! A collector and a ClickHouse that can be ended and started again.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context as _, ensure};
use footfall_tests::{Footfall, Held, Running, eventually, footfall};
use tempfile::TempDir;

use super::PATIENCE;

/// Where the collector is now; another after each start.
pub(super) type Address = Arc<RwLock<String>>;

pub(super) struct House {
    // In this order: programs must be gone before their folders are.
    collector: Option<Running>,
    engine: Option<Running>,
    database: TempDir,
    data: TempDir,
    pub(super) clickhouse: String,
    pub(super) address: Address,
    /// Further arguments of the collector.
    pub(super) arguments: Vec<String>,
}

impl House {
    /// Both up, with the site `shop`.
    pub(super) fn up(arguments: &[&str]) -> Self {
        let mut house = Self::without_collector(arguments);
        house.start_collector();
        house
    }

    pub(super) fn without_collector(arguments: &[&str]) -> Self {
        let mut house = Self {
            collector: None,
            engine: None,
            database: tempfile::tempdir().unwrap(),
            data: tempfile::tempdir().unwrap(),
            clickhouse: format!("http://127.0.0.1:{}", lasting_port()),
            address: Address::default(),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
        };
        house.start_clickhouse();
        let add = ["site", "add", "shop", "--origin", "https://shop.example"];
        let add = [&add[..], &["--clickhouse-url", &house.clickhouse]].concat();
        Footfall::printed(&add).unwrap();
        house
    }

    /// On the port it had before, which nobody takes meanwhile.
    pub(super) fn start_clickhouse(&mut self) {
        let port = self.clickhouse.rsplit(':').next().unwrap().trim_end_matches('/').to_owned();
        let folder = self.database.path().to_str().unwrap();
        let arguments = ["clickhouse", "--data-dir", folder, "--engine-port", &port];
        let engine = Running::start(&arguments, "clickhouse ready").unwrap();
        self.clickhouse = engine.address("clickhouse ready").unwrap();
        self.engine = Some(engine);
    }

    /// As `kill -9`.
    pub(super) fn kill_clickhouse(&mut self) {
        self.engine = None;
    }

    pub(super) fn start_collector(&mut self) {
        let command = footfall(&self.collect()).unwrap();
        self.start_as(command);
    }

    /// The collector by a command that ends in [`Self::collect`]; where ClickHouse is there, it knows the sites.
    pub(super) fn start_as(&mut self, command: Command) {
        let running = Running::start_command(command, "collector").unwrap();
        let address = running.address("collector").unwrap();
        if self.engine.is_some() {
            knows_its_sites(&address);
        }
        *self.address.write().unwrap_or_else(PoisonError::into_inner) = address;
        self.collector = Some(running);
    }

    /// The collector's own arguments.
    pub(super) fn collect(&self) -> Vec<&str> {
        let data = self.data.path().to_str().unwrap();
        let arguments = ["collect", "--data-dir", data, "--clickhouse-url", &self.clickhouse];
        let further = self.arguments.iter().map(String::as_str);
        arguments.into_iter().chain(["--collector-listen", "127.0.0.1:0"]).chain(further).collect()
    }

    /// As `kill -9`.
    pub(super) fn kill_collector(&mut self) {
        self.collector = None;
    }

    /// As a service manager does it.
    pub(super) fn stop_collector(&mut self) {
        self.collector.take().unwrap().stop().unwrap();
    }

    /// As a service manager's reload.
    pub(super) fn reload_collector(&self) {
        self.collector.as_ref().unwrap().reload().unwrap();
    }

    pub(super) fn data(&self) -> &Path {
        self.data.path()
    }

    pub(super) fn spool(&self) -> PathBuf {
        self.data.path().join("spool")
    }

    pub(super) fn collector(&self) -> String {
        self.address.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A metric's value.
    pub(super) fn metric(&self, name: &str) -> f64 {
        let url = format!("{}/metrics", self.collector());
        let text = ureq::get(url).call().unwrap().into_body().read_to_string().unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no metric {name}")).parse().unwrap()
    }

    /// What the collector's process holds.
    pub(super) fn held(&self) -> Held {
        Held::by(self.collector.as_ref().unwrap().id()).unwrap()
    }

    pub(super) fn ask(&self, question: &str) -> anyhow::Result<String> {
        let answer = ureq::post(&self.clickhouse).send(question)?;
        Ok(answer.into_body().with_config().limit(1 << 30).read_to_string()?)
    }

    /// The ids of all rows there are, doubles included: an insert that was done twice shows.
    fn stored(&self) -> anyhow::Result<Vec<String>> {
        let ids = self.ask("SELECT event_id FROM footfall.events WHERE site = 'shop'")?;
        let mut ids: Vec<String> = ids.lines().map(str::to_owned).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// Waits as long as more comes in, however much that is: a load of a minute may take minutes to insert.
    fn takes_in(&self, answered: usize) {
        let mut stored = 0;
        while stored < answered {
            stored = eventually(PATIENCE, || {
                let count = self.ask("SELECT count() FROM footfall.events WHERE site = 'shop'")?;
                let count: usize = count.trim().parse()?;
                ensure!(count > stored, "{count} of {answered} are stored, and no more come");
                Ok(count)
            })
            .unwrap();
        }
    }

    /// Waits until all that was answered is in, and holds that nothing is there twice.
    pub(super) fn holds_once(&self, answered: &[String]) {
        self.takes_in(answered.len());
        let stored = eventually(PATIENCE, || {
            let stored = self.stored()?;
            let missing = answered.iter().filter(|id| stored.binary_search(id).is_err()).count();
            ensure!(missing == 0, "{missing} of {} answered events are missing", answered.len());
            Ok(stored)
        })
        .unwrap();
        let mut once = stored.clone();
        once.dedup();
        assert_eq!(stored.len(), once.len(), "rows are there twice");
    }
}

/// Waits until a collector has its sites from ClickHouse. One that ClickHouse did not answer within seconds of its
/// start begins without them, and refuses what comes.
pub(super) fn knows_its_sites(collector: &str) {
    let url = format!("{collector}/readyz");
    let ready = eventually(PATIENCE, || Ok(ureq::get(&url).call()?));
    ready.with_context(|| format!("{url} does not say that it is ready")).unwrap();
}

/// A port that is still free when who had it is started again. One of those that the system gives out may be taken
/// then as a connection's own, of the ten thousand that another test opens.
pub(super) fn lasting_port() -> u16 {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    const GIVEN_OUT: &str = "/proc/sys/net/ipv4/ip_local_port_range";
    let given_out = fs::read_to_string(GIVEN_OUT).unwrap();
    let first: u16 = given_out.split_ascii_whitespace().next().unwrap().parse().unwrap();
    // Beginning elsewhere than another run that may go on beside this one.
    let begin = u16::try_from(process::id() % 64).unwrap() * 128;
    loop {
        let tried = TRIED.fetch_add(1, Ordering::Relaxed);
        let port = first.checked_sub(1 + begin + tried).unwrap();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
