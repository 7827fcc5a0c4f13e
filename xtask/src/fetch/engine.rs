//! The embedded ClickHouse: one shared library, where `footfall` looks for it.

use std::env::consts::{ARCH, OS};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::npm;

/// The engine's version; `xtask/npm/package.json` names the same.
const VERSION: &str = "26.7.3-stable.1";
/// What the library and its download take on disk: measured, for the bar only.
const BYTES: u64 = 750_000_000;

/// Links `engine/libchdb.so` to the library and gives the link.
pub(super) fn linked(cache: &Path, node_modules: &Path) -> Result<PathBuf> {
    let link = cache.join("engine/libchdb.so");
    let package = package()?;
    let pinned = node_modules.join(package).join("libchdb.so");
    let library = if pinned.is_file() { pinned } else { unpinned(cache, package)? };
    point(&link, &library)?;
    Ok(link)
}

/// The platforms the engine is published for.
fn package() -> Result<&'static str> {
    match (OS, ARCH) {
        ("linux", "x86_64") => Ok("@chdb/lib-linux-x64-gnu"),
        ("linux", "aarch64") => Ok("@chdb/lib-linux-arm64-gnu"),
        ("macos", "aarch64") => Ok("@chdb/lib-darwin-arm64"),
        ("macos", "x86_64") => Ok("@chdb/lib-darwin-x64"),
        _ => bail!("no embedded ClickHouse for {OS} {ARCH}: give footfall a --clickhouse-url"),
    }
}

/// The lock has the checksum of the Linux x86-64 library only; elsewhere the version is pinned, and npm checks what it
/// fetched against the registry's own checksum.
fn unpinned(cache: &Path, package: &str) -> Result<PathBuf> {
    let folder = cache.join("engine").join(VERSION);
    let library = folder.join("libchdb.so");
    if !library.is_file() {
        let spec = format!("{package}@{VERSION}");
        let incoming = npm::package(cache, &spec, "the ClickHouse engine", BYTES)?;
        fs::create_dir_all(&folder)?;
        let fetched = incoming.path().join("node_modules").join(package).join("libchdb.so");
        fs::rename(fetched, &library).with_context(|| format!("{spec} has no libchdb.so"))?;
    }
    Ok(library)
}

fn point(link: &Path, to: &Path) -> Result<()> {
    if fs::read_link(link).is_ok_and(|there| there == to) {
        return Ok(());
    }
    let folder = link.parent().context("a file lies in a folder")?;
    fs::create_dir_all(folder)?;
    // A rename, so that a `footfall` that starts meanwhile sees either the old engine or the new one.
    let fresh = folder.join(format!("link-{}", std::process::id()));
    std::os::unix::fs::symlink(to, &fresh)?;
    fs::rename(&fresh, link).with_context(|| format!("could not make {}", link.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pinned_version_is_the_one_fetched_elsewhere() {
        let package = include_str!("../../npm/package.json");
        assert!(package.contains(&format!("\"@chdb/lib-linux-x64-gnu\": \"{VERSION}\"")));
    }

    #[test]
    fn a_link_follows_a_new_engine() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("engine/libchdb.so");
        for name in ["old", "new", "new"] {
            let library = folder.path().join(name);
            fs::write(&library, name).unwrap();
            point(&link, &library).unwrap();
            assert_eq!(fs::read_to_string(&link).unwrap(), name);
        }
    }
}
