//! Where the tests find real data with answers worked out elsewhere.

use std::path::{Path, PathBuf};

/// The folder of real data; says so and gives none where it is absent.
#[expect(clippy::print_stderr, reason = "a test that was not run says so")]
pub(crate) fn reference_data(test: &str) -> Option<PathBuf> {
    let named = std::env::var_os("FOOTFALL_REFERENCE_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = named.clone().unwrap_or(beside);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(named.is_none(), "FOOTFALL_REFERENCE_DATA is no folder: {}", folder.display());
    eprintln!("{test}: not run, the folder of real data is absent (FOOTFALL_REFERENCE_DATA)");
    None
}
