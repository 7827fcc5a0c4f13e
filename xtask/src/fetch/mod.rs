//! `cargo xtask fetch`: what is not on crates.io, fetched once into the cache.
//!
//! Everything comes through npm and lies under [`crate::place::cache`]:
//! `npm/HASH/` holds the packages of a lock, `xtask/npm/package-lock.json`, `tests/sdk/package-lock.json`
//! or `bench/page/package-lock.json` (`HASH` is the lock's), `engine/libchdb.so` is a link
//! to the ClickHouse engine, `geo/` the places, `tools/` what `cargo xtask test` installs.
//! A folder is renamed to its name only when it is complete, so what is there is whole.

mod engine;
mod geo;
mod npm;
mod progress;
mod tool;

use std::fs::{self, File};
use std::path::PathBuf;

use anyhow::{Context, Result};

pub(crate) use npm::node;
pub(crate) use tool::{CARGO_DENY, CARGO_MACHETE, GECKODRIVER};

use crate::place;

#[derive(clap::Args)]
pub(crate) struct Fetch {}

/// What was fetched, and where it lies.
pub(crate) struct Fetched {
    /// The installed packages of the lock: `node_modules`.
    pub(crate) node_modules: PathBuf,
    /// The ClickHouse engine.
    pub(crate) engine: PathBuf,
    /// The country of an address, as an mmdb.
    pub(crate) geo_file: PathBuf,
}

impl Fetch {
    pub(crate) fn run(self) -> Result<()> {
        let fetched = fetch()?;
        println!("packages  {}", fetched.node_modules.display());
        println!("engine    {}", fetched.engine.display());
        println!("places    {}", fetched.geo_file.display());
        Ok(())
    }
}

/// Fetches what is missing; asks nothing of the network where nothing is.
pub(crate) fn fetch() -> Result<Fetched> {
    let cache = place::cache()?;
    let _alone = lock(&cache)?;
    let node_modules = npm::pinned(&cache, &npm::PROGRAMS)?;
    let engine = engine::linked(&cache, &node_modules)?;
    let geo_file = geo::latest(&cache)?;
    Ok(Fetched { node_modules, engine, geo_file })
}

/// The `node_modules` with the SDKs of others that the tests run.
pub(crate) fn sdks() -> Result<PathBuf> {
    let cache = place::cache()?;
    let _alone = lock(&cache)?;
    npm::pinned(&cache, &npm::SDKS)
}

/// The `node_modules` with the trackers of others that the bench page measures.
pub(crate) fn trackers() -> Result<PathBuf> {
    let cache = place::cache()?;
    let _alone = lock(&cache)?;
    npm::pinned(&cache, &npm::TRACKERS)
}

/// Held while the cache is written: a second `cargo xtask` waits instead of fetching the same again.
fn lock(cache: &std::path::Path) -> Result<File> {
    fs::create_dir_all(cache).with_context(|| format!("could not make {}", cache.display()))?;
    let file = File::create(cache.join("lock"))?;
    file.lock().with_context(|| format!("could not lock {}", cache.display()))?;
    Ok(file)
}
