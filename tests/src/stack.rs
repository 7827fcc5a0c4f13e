//! The whole house, standing: `footfall up` as a user runs it.

use std::time::Duration;

use anyhow::{Context, ensure};
use tempfile::TempDir;

use crate::program::Footfall;
use crate::running::{Running, eventually};

/// How long accepted events may take into ClickHouse on a busy machine.
const ARRIVAL: Duration = Duration::from_secs(60);

/// A running `footfall up` on free ports, with a data folder that ends with it.
pub struct Stack {
    // In this order: the program must be gone before its folder is.
    program: Running,
    data_dir: TempDir,
    /// Where the collector answers: `http://127.0.0.1:PORT`.
    pub collector: String,
    /// Where the dashboard and its API answer.
    pub dashboard: String,
    /// Where the embedded ClickHouse answers.
    pub clickhouse: String,
}

impl Stack {
    /// Starts the program with further arguments and waits until it says that it is up.
    ///
    /// # Errors
    /// Where it ends before that.
    pub fn up(further: &[&str]) -> anyhow::Result<Self> {
        let data_dir = tempfile::tempdir()?;
        let folder = data_dir.path().to_str().context("a path in UTF-8")?;
        let mut arguments = vec!["up", "--data-dir", folder, "--engine-port", "0"];
        arguments.extend(["--collector-listen", "127.0.0.1:0"]);
        arguments.extend(["--dashboard-listen", "127.0.0.1:0"]);
        arguments.extend(further);
        let program = Running::start(&arguments, "footfall is up")?;
        Ok(Self {
            collector: program.address("collector")?,
            dashboard: program.address("dashboard")?,
            clickhouse: program.address("clickhouse")?,
            program,
            data_dir,
        })
    }

    /// The data folder.
    #[must_use]
    pub fn folder(&self) -> &str {
        self.data_dir.path().to_str().unwrap_or_default()
    }

    /// Runs another command of the program on the same data folder, while this one is up.
    ///
    /// # Errors
    /// Where it fails, with what it said.
    pub fn footfall(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let folder = self.data_dir.path().to_str().context("a path in UTF-8")?;
        Footfall::printed(&[arguments, &["--data-dir", folder]].concat())
    }

    /// The program's process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.program.id()
    }

    /// Makes a site and gives its tag.
    ///
    /// # Errors
    /// Where the command fails.
    pub fn site(&self, name: &str, origin: &str) -> anyhow::Result<String> {
        self.site_with(name, origin, &[])
    }

    /// The same with further flags.
    ///
    /// # Errors
    /// Where the command fails.
    pub fn site_with(&self, name: &str, origin: &str, further: &[&str]) -> anyhow::Result<String> {
        let add = ["site", "add", name, "--origin", origin, "--collector-url", &self.collector];
        let tag = self.footfall(&[&add, further].concat())?;
        // The collector reads the sites anew every few seconds, and when it is asked to.
        self.program.reload()?;
        let script = format!("{}/s/{name}.js", self.collector);
        eventually(ARRIVAL, || Ok(ureq::get(&script).call()?))?;
        Ok(tag.trim().to_owned())
    }

    /// Asks the HTTP API.
    ///
    /// # Errors
    /// Where the answer is not 200 with JSON.
    pub fn api(&self, path: &str) -> anyhow::Result<serde_json::Value> {
        let url = format!("{}/api/v1{path}", self.dashboard);
        Ok(ureq::get(&url).call().with_context(|| url)?.body_mut().read_json()?)
    }

    /// Asks ClickHouse, as an analyst does: rows as JSON objects.
    ///
    /// # Errors
    /// Where it refuses the question.
    pub fn rows(&self, question: &str) -> anyhow::Result<Vec<serde_json::Value>> {
        let answer = ureq::post(&self.clickhouse).send(format!("{question} FORMAT JSONEachRow"))?;
        let lines = answer.into_body().read_to_string()?;
        lines.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    /// Waits until ClickHouse holds `expected` of a site's events.
    ///
    /// # Errors
    /// Where there are more, or still fewer after a minute.
    pub fn arrived(&self, site: &str, expected: u64) -> anyhow::Result<()> {
        eventually(ARRIVAL, || {
            let count = stored(&self.clickhouse, site)?;
            ensure!(count == expected, "{count} events of {site} are stored, not {expected}");
            Ok(())
        })?;
        self.drained()
    }

    /// Waits until ClickHouse has all that the collector has answered for, in every table: a block goes into
    /// one table after another.
    ///
    /// # Errors
    /// Where something still waits after a minute.
    pub fn drained(&self) -> anyhow::Result<()> {
        let url = format!("{}/metrics", self.collector);
        eventually(ARRIVAL, || {
            let metrics = ureq::get(&url).call()?.into_body().read_to_string()?;
            let bytes =
                metrics.lines().find_map(|line| line.strip_prefix("collector_spool_bytes "));
            let bytes: u64 = bytes.context("no collector_spool_bytes")?.parse()?;
            ensure!(bytes == 0, "{bytes} bytes wait for ClickHouse");
            Ok(())
        })
    }

    /// Stops the program as a service manager does.
    ///
    /// # Errors
    /// Where it does not end well.
    pub fn stop(self) -> anyhow::Result<()> {
        self.program.stop()
    }
}

/// How many events of a site a ClickHouse holds, bots and how long pages were looked at not counted.
///
/// # Errors
/// Where it does not answer.
pub fn stored(clickhouse: &str, site: &str) -> anyhow::Result<u64> {
    let count = "SELECT count() FROM footfall.events FINAL \
                 WHERE site = {site:String} AND kind != 'engagement'";
    let answer = ureq::post(clickhouse).query("param_site", site).send(count)?;
    Ok(answer.into_body().read_to_string()?.trim().parse()?)
}
