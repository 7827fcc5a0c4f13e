//! Where the engine comes from.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use super::EngineError;

/// What can be run as the engine.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// `libchdb.so`: the engine as a library.
    Library(PathBuf),
    /// ClickHouse's own program.
    Program(PathBuf),
}

/// The library that was named; else the one `cargo xtask fetch` put into the cache; else a `clickhouse`
/// program on the path.
pub(super) fn engine(library: Option<&Path>) -> Result<Found, EngineError> {
    let cached = cached(std::env::var_os("FOOTFALL_CACHE_DIR").as_deref());
    find(library, cached, &std::env::var_os("PATH").unwrap_or_default())
}

fn find(
    library: Option<&Path>,
    cached: Option<PathBuf>,
    path: &OsStr,
) -> Result<Found, EngineError> {
    if let Some(library) = library {
        return if library.is_file() {
            Ok(Found::Library(library.to_owned()))
        } else {
            Err(EngineError::NotFound { looked_for: vec![library.to_owned()] })
        };
    }
    if let Some(library) = cached.as_ref().filter(|library| library.is_file()) {
        return Ok(Found::Library(library.clone()));
    }
    let on_path = std::env::split_paths(path).map(|folder| folder.join("clickhouse"));
    // Elsewhere nothing would end that program together with its parent.
    let mut on_path = on_path.filter(|_| cfg!(target_os = "linux"));
    match on_path.find(|program| program.is_file()) {
        Some(program) => Ok(Found::Program(program)),
        None => {
            let program = PathBuf::from("a `clickhouse` program on the PATH");
            let looked_for = cached.into_iter().chain([program]).collect();
            Err(EngineError::NotFound { looked_for })
        }
    }
}

fn cached(folder: Option<&OsStr>) -> Option<PathBuf> {
    let folder = match folder {
        Some(folder) => PathBuf::from(folder),
        None => ProjectDirs::from("", "", "footfall")?.cache_dir().to_owned(),
    };
    Some(folder.join("engine").join("libchdb.so"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_library_wins_over_the_cache_and_the_cache_over_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, "").unwrap();
            file
        };
        let (named, cache, program) = (file("named.so"), file("cache.so"), file("clickhouse"));
        let gone = folder.path().join("gone.so");
        let path = folder.path().as_os_str();

        let found = find(Some(&named), Some(cache.clone()), path).unwrap();
        assert_eq!(found, Found::Library(named));
        let found = find(None, Some(cache.clone()), path).unwrap();
        assert_eq!(found, Found::Library(cache.clone()));
        if cfg!(target_os = "linux") {
            let found = find(None, Some(gone.clone()), path).unwrap();
            assert_eq!(found, Found::Program(program));
        }
        // What was named and is not there is told, not replaced by something else.
        let error = find(Some(&gone), Some(cache), path).unwrap_err().to_string();
        assert!(error.contains("gone.so") && error.contains("cargo xtask fetch"), "{error}");
        assert!(error.contains("--clickhouse-url"), "{error}");
        find(None, Some(gone), OsStr::new("")).unwrap_err();
    }
}
