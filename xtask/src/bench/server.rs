//! A server under measure: the floor, or the collector.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::core;
use crate::place;
use crate::running::{Running, answers};

const START: Duration = Duration::from_secs(30);
/// The one site of the load.
const SITES: &str = r#"[{"name":"shop","origins":["https://shop.example"]}]"#;
/// Nobody listens there: what is measured is the way to the disk.
pub(super) const NOWHERE: &str = "http://127.0.0.1:9";

/// A running server on a core of its own.
pub(super) struct Server {
    running: Running,
    /// `127.0.0.1:PORT`
    pub(super) address: String,
}

impl Server {
    /// The floor: reads, parses, answers.
    pub(super) fn floor(profile: &str) -> Result<Self> {
        let command = Command::new(place::built(profile, "bench-floor"));
        Self::start(&command, "floor ready at ")
    }

    /// The collector with a new spool, its defaults, and places from the given file.
    pub(super) fn collector(
        profile: &str,
        clickhouse_url: &str,
        data_dir: &Path,
        geo_file: &Path,
    ) -> Result<Self> {
        if data_dir.exists() {
            fs::remove_dir_all(data_dir)?;
        }
        fs::create_dir_all(data_dir)?;
        // The copy of the sites that a collector keeps for when ClickHouse is away.
        fs::write(data_dir.join("sites.json"), SITES)?;
        let mut command = Command::new(place::built(profile, "footfall"));
        command.args(["--log", "error", "collect", "--collector-listen", "127.0.0.1:0"]);
        command.arg("--data-dir").arg(data_dir).args(["--clickhouse-url", clickhouse_url]);
        // The load says with X-Forwarded-For where its visitors are.
        command.args(["--trusted-proxy", "loopback"]).arg("--geo-file").arg(geo_file);
        // One site stands for all of a collector's.
        command.args(["--site-rate", "10000000"]);
        let server = Self::start(&command, "collector   http://")?;
        answers(&format!("http://{}/healthz", server.address), START)?;
        Ok(server)
    }

    fn start(command: &Command, ready: &str) -> Result<Self> {
        core::stay_on(core::SERVER)?;
        let mut running = Running::start(command)?;
        let line = running.line(ready, START)?;
        let address = line.strip_prefix(ready).context("the line began with it")?.trim().to_owned();
        Ok(Self { running, address })
    }

    /// Seconds of processor time it has taken so far.
    pub(super) fn cpu_seconds(&self) -> Result<f64> {
        let stat = fs::read_to_string(self.proc("stat"))?;
        // proc(5): after the name in parentheses, the 12th and 13th are user and system time.
        let (_, fields) = stat.rsplit_once(')').context("a name in parentheses")?;
        let fields = fields.split_ascii_whitespace().skip(11).take(2);
        let ticks = fields.map(str::parse::<u64>).sum::<Result<u64, _>>()?;
        Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
    }

    /// The most memory it has had so far, in MiB.
    pub(super) fn memory_max_mb(&self) -> Result<f64> {
        let status = fs::read_to_string(self.proc("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_ascii_whitespace().next());
        Ok(kib.context("no VmHWM")?.parse::<f64>()? / 1024.0)
    }

    fn proc(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.running.id())
    }

    pub(super) fn stop(self) -> Result<()> {
        self.running.stop()
    }

    /// Ends it at once: what waits on the disk is not drained.
    pub(super) fn kill(self) -> Result<()> {
        self.running.kill()
    }
}
