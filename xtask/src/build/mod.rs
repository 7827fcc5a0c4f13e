//! `cargo xtask build`: the tracker for the browser, then the programs that carry it.

pub(crate) mod guided;
mod parts;
mod tracker;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

pub(crate) use tracker::{HINT, LOADER, TARGET, target_installed, wasm_begins};

use crate::fetch::{self, Fetched};
use crate::{place, program};

/// Scripts of the dashboard's pages: as published, under the names the pages ask for.
const PAGE_SCRIPTS: [(&str, &str); 2] =
    [("echarts/dist/echarts.min.js", "echarts.js"), ("htmx.org/dist/htmx.min.js", "htmx.js")];

#[derive(clap::Args)]
pub(crate) struct Build {
    /// Optimise the programs; the tracker always is
    #[arg(long)]
    release: bool,
    /// Optimise them as they are shipped: as a whole and by the profile of a load, which takes minutes more
    #[arg(long, conflicts_with = "release")]
    dist: bool,
    /// Only what the browser gets, not the programs that carry it
    #[arg(long)]
    assets: bool,
}

impl Build {
    pub(crate) fn run(self) -> Result<()> {
        let fetched = fetch::fetch()?;
        assets(&fetched)?;
        if self.assets {
            println!("built {}", place::assets().display());
            return Ok(());
        }
        let profile = match (self.release, self.dist) {
            (_, true) => "dist",
            (true, false) => "release",
            (false, false) => "debug",
        };
        match profile {
            "dist" => guided::build()?,
            _ => programs(self.release)?,
        }
        println!("built {}", place::built(profile, "footfall").display());
        Ok(())
    }
}

/// What the browser gets: the tracker and the dashboard's scripts, under [`place::assets`].
pub(crate) fn assets(fetched: &Fetched) -> Result<()> {
    assets_in(&place::target(), fetched)
}

/// The programs, with the assets in them.
pub(crate) fn programs(release: bool) -> Result<()> {
    programs_in(&place::target(), release)
}

/// The same, with cargo's work in a folder of its own.
pub(crate) fn assets_in(target: &Path, fetched: &Fetched) -> Result<()> {
    tracker::build(target, fetched)?;
    parts::build(fetched)?;
    for (from, to) in PAGE_SCRIPTS {
        let from = fetched.node_modules.join(from);
        let script = fs::read(&from).with_context(|| format!("no {}", from.display()))?;
        keep(&place::assets().join("dashboard").join(to), &script)?;
    }
    Ok(())
}

/// The same, with cargo's work in a folder of its own.
pub(crate) fn programs_in(target: &Path, release: bool) -> Result<()> {
    let mut cargo = program::cargo();
    cargo.args(["build", "--locked", "-p", "footfall", "-p", "example-shop"]);
    cargo.args(release.then_some("--release")).arg("--target-dir").arg(target);
    program::run(&mut cargo)
}

/// Writes a file where it differs: what is built from it need not be built again where it does not.
fn keep(file: &Path, content: &[u8]) -> Result<()> {
    if fs::read(file).is_ok_and(|there| there == content) {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, content).with_context(|| format!("could not write {}", file.display()))
}
