//! What the tests need of Debian, installed where root may.

use std::process::Command;

use anyhow::Result;

use crate::place::on_path;
use crate::program::run;

/// Installs packages; `false` where that is another's to do: no Debian, or not root.
pub(super) fn install(packages: &[&str]) -> Result<bool> {
    let root = rustix::process::geteuid().is_root();
    let Some(apt) = on_path(&["apt-get"]).filter(|_| root) else { return Ok(false) };
    let apt = |arguments: &[&str]| {
        run(Command::new(&apt).args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt(&["update", "--quiet"])?;
    let quiet = ["install", "--quiet", "--yes", "--no-install-recommends"];
    apt(&[&quiet[..], packages].concat())?;
    Ok(true)
}
