//! What is shipped is compiled by a profile: which of its functions and branches a collector under load goes
//! through, as `cargo xtask bench profile` has counted them. A request there costs more in finding its code
//! than in running it, and so the compiler lays what belongs together side by side
//! (<https://doc.rust-lang.org/rustc/profile-guided-optimization.html>).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use memchr::memmem;
use sha2::{Digest, Sha256};

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
        format!("-Cprofile-use={}", named_by_content()?.display()),
        // That the profile is older than the code is told for each function otherwise.
        "-Cllvm-args=-no-pgo-warn-mismatch".to_owned(),
    ];
    with_flags(&mut cargo, &flags);
    program::run(&mut cargo)?;
    fs::create_dir_all(place::target().join("dist"))?;
    let built = place::built(&format!("{host}/dist"), "footfall");
    fs::copy(&built, place::built("dist", "footfall"))
        .with_context(|| format!("no {}", built.display()))?;
    tell_how_far(&built)
}

/// The profile under a name of its own: cargo goes by what its flags say, not by what lies in a file that they name, and
/// would leave all as it was compiled by the profile before.
fn named_by_content() -> Result<PathBuf> {
    let bytes = fs::read(profile())?;
    let digest: String =
        Sha256::digest(&bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let dir = place::target().join("guided");
    fs::create_dir_all(&dir)?;
    let path = dir.join(format!("{digest}.profdata"));
    fs::write(&path, bytes)?;
    Ok(path)
}

/// Says how many of the collector's functions are compiled by the profile: none would be told by nothing but the time
/// that requests take.
fn tell_how_far(built: &Path) -> Result<()> {
    let (profile, program) = (fs::read(profile())?, fs::read(built)?);
    let known = names(&profile);
    ensure!(
        !known.is_empty(),
        "no function of the collector stands in {}",
        self::profile().display()
    );
    let found = known.iter().filter(|name| memmem::find(&program, name).is_some()).count();
    println!("compiled by the profile: {found} of {} functions of the collector", known.len());
    if found == 0 {
        println!(
            "warning: the profile is of other dependencies or of another compiler, so it has no effect; \
             `cargo xtask bench profile` makes it anew"
        );
    }
    Ok(())
}

/// The collector's functions in a profile, each by the name that the linker has for it. It ends with a hash, which is
/// another where the compiler, a dependency or a feature of one is.
fn names(profile: &[u8]) -> BTreeSet<&[u8]> {
    const FIRST: &[u8] = b"_ZN9collector";
    /// `17h`, sixteen digits, `E`.
    const HASH_BYTES: usize = 20;
    let is_hash = |bytes: &[u8]| {
        let hash = bytes.strip_prefix(b"17h").and_then(|rest| rest.strip_suffix(b"E"));
        hash.is_some_and(|hash| hash.iter().all(u8::is_ascii_hexdigit))
    };
    memmem::find_iter(profile, FIRST)
        .filter_map(|at| {
            let name = profile.get(at..)?;
            let hash_at = name.windows(HASH_BYTES).position(is_hash)?;
            name.get(..hash_at + HASH_BYTES)
        })
        .collect()
}

/// Compiles a `footfall` that writes what it went through into the folder `counts` when it ends, and gives the folder
/// in which it lies, as [`place::built`] takes it.
pub(crate) fn build_counting(counts: &Path) -> Result<String> {
    let host = host()?;
    let mut cargo = shipping(&host);
    cargo.arg("--target-dir").arg(place::target().join("counting"));
    with_flags(&mut cargo, &[format!("-Cprofile-generate={}", counts.display())]);
    program::run(&mut cargo)?;
    Ok(format!("counting/{host}/dist"))
}

/// With the target named, so that programs which only run while others are built are left as they are. The
/// compiler names functions by it, and by the features that all packages of a build want of a dependency: both builds
/// must be of the same target and packages, or the profile is of other functions.
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
