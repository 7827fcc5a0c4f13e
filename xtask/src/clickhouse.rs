//! `cargo xtask clickhouse`: a ClickHouse for `cargo test` at the desk.

use std::fs::{self, File};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::running::Running;
use crate::{build, fetch, place};

/// What `store::testing` reads.
pub(crate) const TEST_CLICKHOUSE_URL: &str = "FOOTFALL_TEST_CLICKHOUSE_URL";
/// What `footfall clickhouse` prints before the address.
const READY: &str = "clickhouse ready at ";
/// The engine answers within 2 s; a machine that compiles beside it takes longer.
const START: Duration = Duration::from_secs(60);

#[derive(clap::Args)]
pub(crate) struct Clickhouse {
    /// Where it listens on 127.0.0.1; 0 takes a free port
    #[arg(long, default_value_t = 0)]
    engine_port: u16,
}

impl Clickhouse {
    pub(crate) fn run(self) -> Result<()> {
        fetch::fetch()?;
        build::programs(false)?;
        let engine = Engine::start("clickhouse", self.engine_port)?;
        println!("export {TEST_CLICKHOUSE_URL}={}", engine.url);
        engine.wait()
    }
}

/// The built `footfall`'s engine alone, on a new data folder.
pub(crate) struct Engine {
    footfall: Running,
    /// Where it answers.
    pub(crate) url: String,
    _alone: File,
}

impl Engine {
    /// Starts it on `target/NAME`, which is emptied first: whoever ends this with Ctrl-C leaves one folder, not many.
    pub(crate) fn start(name: &str, port: u16) -> Result<Self> {
        Self::start_built("debug", name, port)
    }

    /// The same with the `footfall` of another of cargo's profiles.
    pub(crate) fn start_built(profile: &str, name: &str, port: u16) -> Result<Self> {
        let data_dir = place::target().join(name);
        let alone = File::create(data_dir.with_extension("lock"))?;
        alone.try_lock().with_context(|| format!("{} is in use", data_dir.display()))?;
        if data_dir.exists() {
            fs::remove_dir_all(&data_dir)?;
        }
        let mut command = Command::new(place::built(profile, "footfall"));
        command.arg("clickhouse").arg("--data-dir").arg(&data_dir);
        command.arg("--engine-port").arg(port.to_string());
        // Its own engine, whatever server the developer's other commands use.
        command.env_remove("FOOTFALL_CLICKHOUSE_URL");
        let mut footfall = Running::start(&command)?;
        let line = footfall.line(READY, START)?;
        let url = line.strip_prefix(READY).context("the line began with it")?.trim().to_owned();
        Ok(Self { footfall, url, _alone: alone })
    }

    /// Fails where it has ended.
    pub(crate) fn check(&mut self) -> Result<()> {
        self.footfall.check()
    }

    fn wait(self) -> Result<()> {
        self.footfall.wait()
    }

    /// Ends it.
    pub(crate) fn stop(self) -> Result<()> {
        self.footfall.stop()
    }
}
