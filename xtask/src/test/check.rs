//! What is known without running anything of ours.

use anyhow::Result;

use crate::build::{TARGET, target_installed};
use crate::fetch::{CARGO_DENY, CARGO_MACHETE};
use crate::place;
use crate::program::{cargo, run};

pub(super) fn format() -> Result<()> {
    run(cargo().args(["fmt", "--all", "--check"]))
}

pub(super) fn lints() -> Result<()> {
    let workspace = ["clippy", "--locked", "--workspace", "--all-targets"];
    run(cargo().args(workspace).args(["--", "-D", "warnings"]))
}

/// The crates that run in the page too.
pub(super) fn lints_in_wasm() -> Result<()> {
    target_installed()?;
    let crates = ["clippy", "--locked", "-p", "wire", "-p", "segment", "-p", "sdk-wasm"];
    run(cargo().args(crates).args(["--target", TARGET, "--", "-D", "warnings"]))
}

pub(super) fn documents() -> Result<()> {
    let all = ["doc", "--locked", "--workspace", "--no-deps", "--document-private-items"];
    run(cargo().args(all).env("RUSTDOCFLAGS", "-D warnings"))
}

/// As `deny.toml` says. Not the advisories: their list cannot be pinned, and a build must not fail for today's news.
pub(super) fn dependencies() -> Result<()> {
    let deny = std::process::Command::new(CARGO_DENY.program()?);
    let checks = ["--workspace", "--locked", "check", "bans", "licenses", "sources"];
    run({ deny }.args(checks).current_dir(place::root()))
}

pub(super) fn unused_dependencies() -> Result<()> {
    let mut machete = std::process::Command::new(CARGO_MACHETE.program()?);
    run(machete.arg(place::root()))
}
