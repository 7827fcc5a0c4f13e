//! Programs that only `cargo xtask test` needs, built once by cargo into the cache.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::{place, program};

/// A program on crates.io, by version; its own `Cargo.lock` pins the rest.
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
}

/// Licences, duplicates and sources of what we depend on.
pub(crate) const CARGO_DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2" };
/// Dependencies that no code names.
pub(crate) const CARGO_MACHETE: Tool = Tool { name: "cargo-machete", version: "0.9.2" };
/// Firefox's driver, which Debian has no package of.
pub(crate) const GECKODRIVER: Tool = Tool { name: "geckodriver", version: "0.37.0" };

impl Tool {
    /// The program, built now where it is not there yet.
    pub(crate) fn program(&self) -> Result<PathBuf> {
        let cache = place::cache()?;
        let _alone = super::lock(&cache)?;
        let folder = cache.join("tools").join(format!("{}-{}", self.name, self.version));
        if !folder.is_dir() {
            fs::create_dir_all(cache.join("tools"))?;
            let building = tempfile::Builder::new().prefix("building-").tempdir_in(&cache)?;
            self.install(&building)?;
            fs::rename(building.path().join("root"), &folder)
                .with_context(|| format!("could not make {}", folder.display()))?;
        }
        Ok(folder.join("bin").join(self.name))
    }

    /// Without optimisation: it runs for a second, but takes minutes to build.
    fn install(&self, building: &tempfile::TempDir) -> Result<()> {
        println!("installing {} {}", self.name, self.version);
        let mut cargo = program::cargo();
        cargo.args(["install", "--quiet", "--locked", "--debug", "--no-default-features"]);
        cargo.args([self.name, "--version", self.version, "--root"]);
        cargo.arg(building.path().join("root")).arg("--target-dir");
        cargo.arg(building.path().join("target")).env("CARGO_PROFILE_DEV_DEBUG", "0");
        program::run(&mut cargo)?;
        let program = building.path().join("root/bin").join(self.name);
        ensure!(program.is_file(), "cargo install made no {}", program.display());
        Ok(())
    }
}
