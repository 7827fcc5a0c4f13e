//! `cargo xtask clickhouse`: a ClickHouse for `cargo test` at the desk.

use std::path::Path;
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
        let folder = tempfile::tempdir()?;
        let (engine, url) = start(folder.path(), self.engine_port)?;
        println!("export {TEST_CLICKHOUSE_URL}={url}");
        engine.wait()
    }
}

/// Starts the built `footfall`'s engine alone, on an own folder, and gives its URL.
pub(crate) fn start(data_dir: &Path, port: u16) -> Result<(Running, String)> {
    let mut command = Command::new(place::built("debug", "footfall"));
    command.arg("clickhouse").arg("--data-dir").arg(data_dir);
    command.arg("--engine-port").arg(port.to_string());
    // Its own engine, whatever server the developer's other commands use.
    command.env_remove("FOOTFALL_CLICKHOUSE_URL");
    let mut engine = Running::start(&command)?;
    let line = engine.line(READY, START)?;
    let url = line.strip_prefix(READY).context("the line began with it")?.trim().to_owned();
    Ok((engine, url))
}
