//! Fetching, where nothing can be fetched.

use std::process::Command;

use crate::XTASK;

#[test]
fn says_what_to_install_where_npm_is_missing() {
    let empty = tempfile::tempdir().unwrap();
    let mut fetch = Command::new(XTASK);
    fetch.arg("fetch").env("PATH", empty.path()).env("FOOTFALL_CACHE_DIR", empty.path());
    let output = fetch.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(said.contains("npm is not on the path: install Node.js"), "{said}");
}

#[test]
fn npms_own_words_are_shown_where_it_fails() {
    let (path, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let npm = path.path().join("npm");
    std::fs::write(&npm, "#!/bin/sh\necho 'the registry is away' >&2\nexit 7\n").unwrap();
    let runnable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&npm, runnable).unwrap();
    let mut fetch = Command::new(XTASK);
    fetch.arg("fetch").env("PATH", path.path()).env("FOOTFALL_CACHE_DIR", cache.path());
    let output = fetch.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(said.contains("exit status: 7") && said.contains("the registry is away"), "{said}");
    // What was begun is gone, and nothing took its final name.
    assert_eq!(std::fs::read_dir(cache.path().join("incoming")).unwrap().count(), 0);
    assert!(!cache.path().join("npm").exists());
}
