//! Where things lie: the repository, what is built, and the cache outside of it.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The repository's root: `cargo xtask` names this crate's folder, one below it.
pub(crate) fn root() -> PathBuf {
    let here = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let here = here.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    here.parent().map_or_else(|| here.clone(), Path::to_path_buf)
}

/// Cargo's folder of everything built.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// A built program, by name; `profile` is cargo's folder: `debug` or `release`.
pub(crate) fn built(profile: &str, name: &str) -> PathBuf {
    target().join(profile).join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

/// What the browser gets, as `collector` and `dashboard` take it in; `.cargo/config.toml` names it.
pub(crate) fn assets() -> PathBuf {
    env::var_os("FOOTFALL_ASSETS")
        .map_or_else(|| root().join("target/assets"), |dir| root().join(dir))
}

/// Where downloads are kept: outside of `target/`, so that a clean build fetches nothing again.
/// `footfall` looks for the engine in the same place.
pub(crate) fn cache() -> Result<PathBuf> {
    if let Some(dir) = env::var_os("FOOTFALL_CACHE_DIR") {
        return Ok(root().join(dir));
    }
    let dirs = directories::ProjectDirs::from("", "", "footfall")
        .context("no home folder to keep downloads in; name one with FOOTFALL_CACHE_DIR")?;
    Ok(dirs.cache_dir().to_path_buf())
}

/// Real data with answers worked out elsewhere, too large for the repository: `FOOTFALL_REFERENCE_DATA` names its
/// folder, else it may lie beside the repository.
pub(crate) fn reference_data() -> Option<PathBuf> {
    let named = env::var_os("FOOTFALL_REFERENCE_DATA").map(PathBuf::from);
    named.or_else(|| Some(root().join("../shared/data")).filter(|folder| folder.is_dir()))
}

/// The first program of these names on the path.
pub(crate) fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let candidates = names.iter().flat_map(|name| folders.iter().map(move |dir| dir.join(name)));
    candidates.map(|file| file.with_extension(env::consts::EXE_EXTENSION)).find(|f| f.is_file())
}
