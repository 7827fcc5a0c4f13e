//! What is shipped is compiled by a profile: which of its functions and branches a collector under load goes
//! through, as `cargo xtask bench profile` has counted them. A request there costs more in finding its code
//! than in running it, and so the compiler lays what belongs together side by side
//! (<https://doc.rust-lang.org/rustc/profile-guided-optimization.html>).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result};

use crate::{place, program};

/// The counts of the last `cargo xtask bench profile`, in the repository: a build needs no load run. Code that was
/// changed since is compiled as without a profile, the rest still by it.
pub(crate) fn profile() -> PathBuf {
    place::root().join("bench/collector.profdata")
}

/// Compiles `footfall` by the profile, and puts it where cargo puts what it compiles without a target named.
pub(crate) fn build() -> Result<()> {
    let host = host()?;
    let mut cargo = shipping(&host);
    let flags = [
        format!("-Cprofile-use={}", profile().display()),
        // That the profile is older than the code is told for each function otherwise.
        "-Cllvm-args=-no-pgo-warn-mismatch".to_owned(),
    ];
    with_flags(&mut cargo, &flags);
    program::run(&mut cargo)?;
    fs::create_dir_all(place::target().join("dist"))?;
    let built = place::built(&format!("{host}/dist"), "footfall");
    fs::copy(&built, place::built("dist", "footfall"))
        .with_context(|| format!("no {}", built.display()))?;
    Ok(())
}

/// Compiles a `footfall` that writes what it went through into the folder `counts` when it ends, with the load
/// beside it, and gives the folder in which they lie, as [`place::built`] takes it.
pub(crate) fn build_counting(counts: &Path) -> Result<String> {
    let host = host()?;
    let mut cargo = shipping(&host);
    cargo.args(["-p", "footfall-bench", "--target-dir"]).arg(place::target().join("counting"));
    with_flags(&mut cargo, &[format!("-Cprofile-generate={}", counts.display())]);
    program::run(&mut cargo)?;
    Ok(format!("counting/{host}/dist"))
}

/// With the target named, so that programs which only run while others are built are left as they are. The
/// compiler names functions by it too: both builds must have it, or the profile is of other functions.
fn shipping(host: &str) -> Command {
    let mut cargo = program::cargo();
    cargo.args(["build", "--locked", "--profile", "dist", "--target", host, "-p", "footfall"]);
    cargo
}

/// Beside the developer's own. Encoded, since a path may have spaces in it
/// (<https://doc.rust-lang.org/cargo/reference/environment-variables.html>).
fn with_flags(cargo: &mut Command, flags: &[String]) {
    const BETWEEN: &str = "\u{1f}";
    let own = env::var("RUSTFLAGS").unwrap_or_default();
    let own = own.split_ascii_whitespace();
    let flags: Vec<_> = own.chain(flags.iter().map(String::as_str)).collect();
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join(BETWEEN));
}

/// The tool that adds counts up, of the compiler's own LLVM.
pub(crate) fn adder() -> Result<PathBuf> {
    let mut rustup = Command::new("rustup");
    rustup.current_dir(place::root()).args(["component", "add", "llvm-tools"]);
    program::run(&mut rustup).context("the compiler's llvm-tools cannot be had")?;
    let mut rustc = Command::new("rustc");
    rustc.current_dir(place::root()).args(["--print", "target-libdir"]);
    let libraries = PathBuf::from(program::output(&mut rustc)?.trim());
    let beside = libraries.parent().context("the libraries lie in a folder of the target")?;
    Ok(beside.join("bin").join(format!("llvm-profdata{}", env::consts::EXE_SUFFIX)))
}

/// This machine, as the compiler calls it.
fn host() -> Result<String> {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(place::root()).args(["--print", "host-tuple"]);
    Ok(program::output(&mut rustc)?.trim().to_owned())
}
