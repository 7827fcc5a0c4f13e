//! `cargo xtask bench page`: builds each tracker as a site would, and has `bench-page` open a page with each.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::fetch::{self, Fetched, node};
use crate::{build, place, program};

/// Packages of others, each set up by its own file in `bench/page/setup`.
const PACKAGES: [&str; 4] = ["plausible", "snowplow", "posthog", "segment"];
/// The tracker's core in JavaScript, and what keeps the loader from WebAssembly.
const PURE: [&str; 2] = ["tracker.js", "webassembly.js"];

#[derive(clap::Args)]
pub(crate) struct Page {
    /// Print the result as one line of JSON after the tables
    #[arg(long)]
    json: bool,
    /// How often each page is opened; the median counts
    #[arg(long, default_value_t = 9, value_name = "COUNT")]
    runs: usize,
    /// Only these trackers, for example `footfall` and `pure`, and the page without any (may be repeated)
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Slow the processor down so many times, and measure nothing else (may be repeated)
    #[arg(long, value_name = "TIMES")]
    processor: Vec<u32>,
    /// Keep the browser's trace of each visit in this folder
    #[arg(long, value_name = "FOLDER")]
    traces: Option<PathBuf>,
    /// Measure our tracker as it was last built
    #[arg(long)]
    as_built: bool,
}

impl Page {
    pub(crate) fn run(self) -> Result<()> {
        let fetched = fetch::fetch()?;
        if !self.as_built {
            build::assets(&fetched)?;
        }
        let trackers = fetch::trackers()?;
        let scripts = place::target().join("bench-page");
        if scripts.exists() {
            fs::remove_dir_all(&scripts)?;
        }
        for name in PACKAGES {
            package(&fetched, &trackers, name, &scripts.join(name))?;
        }
        ours(&scripts.join("footfall"))?;
        pure(&fetched, &scripts.join("pure"))?;

        let mut cargo = program::cargo();
        cargo.args(["build", "--locked", "-p", "footfall-bench", "--bin", "bench-page"]);
        program::run(&mut cargo)?;
        let mut bench = Command::new(place::built("debug", "bench-page"));
        bench.arg("--scripts").arg(&scripts).args(["--runs", &self.runs.to_string()]);
        for name in &self.only {
            bench.args(["--only", name]);
        }
        for times in &self.processor {
            bench.args(["--processor", &times.to_string()]);
        }
        if let Some(folder) = &self.traces {
            fs::create_dir_all(folder)?;
            bench.arg("--traces").arg(folder);
        }
        program::run(bench.args(self.json.then_some("--json")))
    }
}

/// A package with its set-up, as bundlers make it: what it imports later is a script of its own.
fn package(fetched: &Fetched, trackers: &Path, name: &str, to: &Path) -> Result<()> {
    let setup = place::root().join("bench/page/setup").join(format!("{name}.js"));
    let mut esbuild = esbuild(fetched)?;
    esbuild.args(["--format=esm", "--splitting", "--define:COLLECTOR=\"__COLLECTOR__\""]);
    esbuild.env("NODE_PATH", trackers).arg(format!("--outdir={}", to.display())).arg(setup);
    program::run(&mut esbuild)
}

/// The script as the collector has it.
fn ours(to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    let script = place::assets().join("sdk/tracker.js");
    fs::copy(&script, to.join("footfall.js"))
        .with_context(|| format!("no {}", script.display()))?;
    Ok(())
}

/// Our loader around a core in JavaScript.
fn pure(fetched: &Fetched, to: &Path) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let folder = scratch.path();
    let (loader, pure) = ("sdk-wasm/loader", "bench/page/pure");
    let scripts = build::LOADER.map(|name| (loader, name)).into_iter();
    for (from, name) in scripts.chain(PURE.map(|name| (pure, name))) {
        fs::copy(place::root().join(from).join(name), folder.join(name))?;
    }
    let mut esbuild = esbuild(fetched)?;
    esbuild.args([
        "--format=iife",
        "--define:INLINE=true",
        "--define:KEY=0",
        "--define:__FOOTFALL_WASM__=\"\"",
    ]);
    esbuild.arg(format!("--banner:js={}", build::HINT));
    esbuild.arg(format!("--inject:{}", folder.join("webassembly.js").display()));
    esbuild.arg(format!("--outfile={}", to.join("pure.js").display()));
    program::run(esbuild.arg(folder.join("loader.js")))
}

/// Builds as our own script is built.
fn esbuild(fetched: &Fetched) -> Result<Command> {
    let mut esbuild = node(&fetched.node_modules.join("esbuild/bin/esbuild"))?;
    esbuild.args(["--bundle", "--minify", "--target=es2020"]);
    esbuild.args(["--legal-comments=none", "--log-level=warning"]);
    Ok(esbuild)
}
