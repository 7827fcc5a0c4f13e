//! The library by which a test sets the collector's clock: the one that is there, else Debian's.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use super::debian;

/// Tells the tests where it is.
pub(super) const VARIABLE: &str = "FOOTFALL_TEST_FAKETIME";
const INSTALL: &str = "install libfaketime (Debian: apt-get install faketime), or name its file with \
                       FOOTFALL_TEST_FAKETIME";

/// Finds it; where root may, installs it. None where no test needs it: it answers Linux programs only.
pub(super) fn present() -> Result<Option<PathBuf>> {
    if !cfg!(target_os = "linux") {
        return Ok(None);
    }
    if let Some(library) = find()? {
        return Ok(Some(library));
    }
    ensure!(debian::install(&["faketime"])?, "no clock for the tests: {INSTALL}");
    find()?.with_context(|| format!("no clock after its installation: {INSTALL}")).map(Some)
}

fn find() -> Result<Option<PathBuf>> {
    if let Some(named) = std::env::var_os(VARIABLE).map(PathBuf::from) {
        ensure!(named.is_file(), "{VARIABLE} names {}, which is not there", named.display());
        return Ok(Some(named));
    }
    let folders = fs::read_dir("/usr/lib").context("cannot look into /usr/lib")?.flatten();
    let mut places = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    Ok(places.find(|place| place.is_file()))
}
