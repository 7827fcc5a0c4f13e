//! The whole house, standing: `footfall up` as a user runs it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use anyhow::{Context, bail};
use tempfile::TempDir;

use crate::program::{Footfall, footfall};

/// A running `footfall up` on free ports, with a data folder that ends with it.
pub struct Stack {
    program: Child,
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
    /// Where it ends before that; what it logged is on this test's standard error.
    pub fn up(further: &[&str]) -> anyhow::Result<Self> {
        let data_dir = tempfile::tempdir()?;
        let folder = data_dir.path().to_str().context("a path in UTF-8")?;
        let mut arguments = vec!["up", "--data-dir", folder, "--engine-port", "0"];
        arguments.extend(["--collector-listen", "127.0.0.1:0"]);
        arguments.extend(["--dashboard-listen", "127.0.0.1:0"]);
        arguments.extend(further);
        let mut program = footfall(&arguments)?.stdout(Stdio::piped()).spawn()?;
        let printed = program.stdout.take().context("standard output is a pipe")?;
        let mut said = String::new();
        for line in BufReader::new(printed).lines() {
            let line = line?;
            said.push_str(&line);
            said.push('\n');
            if line.starts_with("footfall is up") {
                let [collector, dashboard, clickhouse] = addresses(&said)?;
                return Ok(Self { program, data_dir, collector, dashboard, clickhouse });
            }
        }
        bail!("footfall up ended with {}: {said}", program.wait()?)
    }

    /// Runs another command of the program on the same data folder, while this one is up.
    ///
    /// # Errors
    /// Where it fails, with what it said.
    pub fn footfall(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let folder = self.data_dir.path().to_str().context("a path in UTF-8")?;
        Footfall::printed(&[arguments, &["--data-dir", folder]].concat())
    }

    /// Makes a site and gives its tag.
    ///
    /// # Errors
    /// Where the command fails.
    pub fn site(&self, name: &str, origin: &str) -> anyhow::Result<String> {
        let tag = self.footfall(
            &["site", "add", name, "--origin", origin, "--collector-url", &self.collector],
        )?;
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
}

impl Drop for Stack {
    fn drop(&mut self) {
        // The engine dies with its parent; the data folder goes right after.
        drop(self.program.kill());
        drop(self.program.wait());
    }
}

fn addresses(said: &str) -> anyhow::Result<[String; 3]> {
    let after = |word: &str| -> anyhow::Result<String> {
        let line = said.lines().find(|line| line.starts_with(word));
        let address = line.and_then(|line| line.split_whitespace().nth(1));
        Ok(address.with_context(|| format!("no line {word} in: {said}"))?.to_owned())
    };
    Ok([after("collector")?, after("dashboard")?, after("clickhouse")?])
}
