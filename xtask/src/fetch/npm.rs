//! npm, as the one door to what is not on crates.io; packages' install scripts never run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::progress;

/// Packages that are installed together, by their lock.
pub(super) struct Pins {
    package: &'static str,
    lock: &'static str,
    what: &'static str,
    /// What npm's own cache and the packages take on disk: measured, for the bar only.
    bytes: u64,
}

/// What the programs are built with and run with.
pub(super) const PROGRAMS: Pins = Pins {
    package: include_str!("../../npm/package.json"),
    lock: include_str!("../../npm/package-lock.json"),
    what: "the ClickHouse engine, wasm-opt and page scripts",
    bytes: 970_000_000,
};

/// The SDKs of others that the tests run against the collector, and what a site builds its pages with.
pub(super) const SDKS: Pins = Pins {
    package: include_str!("../../../tests/sdk/package.json"),
    lock: include_str!("../../../tests/sdk/package-lock.json"),
    what: "other people's SDKs and TypeScript for the tests",
    bytes: 105_000_000,
};

/// The trackers of others that the bench page measures beside ours.
pub(super) const TRACKERS: Pins = Pins {
    package: include_str!("../../../bench/page/package.json"),
    lock: include_str!("../../../bench/page/package-lock.json"),
    what: "other people's trackers for the bench",
    bytes: 100_000_000,
};

/// The packages of a lock, each checked by npm against its SHA-512; gives their `node_modules`.
pub(super) fn pinned(cache: &Path, pins: &Pins) -> Result<PathBuf> {
    let hash =
        Sha256::digest(pins.lock).iter().take(8).map(|b| format!("{b:02x}")).collect::<String>();
    let folder = cache.join("npm").join(hash);
    if !folder.is_dir() {
        let incoming = incoming(cache)?;
        fs::write(incoming.path().join("package.json"), pins.package)?;
        fs::write(incoming.path().join("package-lock.json"), pins.lock)?;
        npm(&incoming, &["ci"], pins.what, pins.bytes)?;
        fs::create_dir_all(cache.join("npm"))?;
        fs::rename(incoming.keep(), &folder)
            .with_context(|| format!("could not move the packages to {}", folder.display()))?;
    }
    Ok(folder.join("node_modules"))
}

/// One package that the lock does not hold, in a folder that ends with the value given back.
pub(super) fn package(cache: &Path, spec: &str, what: &str, bytes: u64) -> Result<TempDir> {
    let incoming = incoming(cache)?;
    npm(&incoming, &["install", "--no-package-lock", spec], what, bytes)?;
    Ok(incoming)
}

/// A script of an installed package, run by node.
pub(crate) fn node(script: &Path) -> Result<Command> {
    let missing = "node is not on the path: install Node.js 18 or newer, with npm";
    let node = crate::place::on_path(&["node", "nodejs"]).context(missing)?;
    ensure!(script.is_file(), "{} is not there: remove its folder, fetch again", script.display());
    let mut command = Command::new(node);
    command.arg(script);
    Ok(command)
}

/// A folder to install into, on the same disk as where it goes, so that a rename suffices.
fn incoming(cache: &Path) -> Result<TempDir> {
    let folder = cache.join("incoming");
    // Whatever lies there was left by a run that was killed: the cache's lock is held.
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(TempDir::new_in(&folder)?)
}

fn npm(folder: &TempDir, arguments: &[&str], what: &str, bytes: u64) -> Result<()> {
    let missing = "npm is not on the path: install Node.js 18 or newer, with npm \
                   (Debian: apt-get install nodejs npm; macOS: brew install node)";
    let npm = crate::place::on_path(&["npm"]).context(missing)?;
    let said = folder.path().join("npm.log");
    let log = fs::File::create(&said)?;
    let downloads = folder.path().join("downloads");
    let mut child = Command::new(npm)
        .args(arguments)
        .args(["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--cache"])
        .arg(&downloads)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()?;
    let status = progress::of_folder(&mut child, folder.path(), what, bytes)?;
    let said = fs::read_to_string(said)?;
    ensure!(status.success(), "npm could not fetch {what} ({status}):\n{}", said.trim());
    // Everything in it is unpacked by now, and nothing else reads it.
    fs::remove_dir_all(downloads)?;
    Ok(())
}
