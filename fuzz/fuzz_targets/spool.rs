//! Any bytes for a file of the spool: a collector starts on it, and nothing of it is lost in silence.
#![no_main]

use std::sync::LazyLock;

use tempfile::TempDir;

/// On a file system in memory where there is one: each run makes some files.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).expect("there is room for a folder")
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| collector::fuzzing::spool(FOLDER.path(), bytes));
