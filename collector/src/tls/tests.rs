//! Certificates as they come: taken in, replaced, broken.

use std::fs;

use rcgen::{CertificateParams, CertifiedKey, KeyPair, date_time_ymd, generate_simple_self_signed};
use tempfile::TempDir;

use super::*;
use crate::error::chain;
use crate::metrics::Metrics;

fn files(folder: &TempDir) -> TlsFiles {
    TlsFiles { cert: folder.path().join("cert.pem"), key: folder.path().join("key.pem") }
}

/// Puts a new pair where the files are.
fn renew(files: &TlsFiles) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["collector.example".to_owned()]).unwrap();
    fs::write(&files.cert, cert.pem()).unwrap();
    fs::write(&files.key, signing_key.serialize_pem()).unwrap();
}

fn refused(files: TlsFiles) -> String {
    chain(&LiveTls::open(files).unwrap_err())
}

#[test]
fn what_is_wrong_with_the_files_is_said_and_the_key_is_not() {
    let folder = TempDir::new().unwrap();
    let files = files(&folder);
    let absent = refused(files.clone());
    assert!(absent.contains("cert.pem") && absent.contains("No such file"), "{absent}");
    renew(&files);
    let key = fs::read_to_string(&files.key).unwrap();
    fs::write(&files.key, key.replace("-----END", "-----and")).unwrap();
    let broken = refused(files.clone());
    assert!(broken.ends_with("key.pem has no private key in the PEM format"), "{broken}");
    assert!(!broken.contains(key.lines().nth(1).unwrap()), "{broken}");
    fs::write(&files.key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let another = refused(files.clone());
    assert!(another.contains("cannot be used together"), "{another}");
    fs::write(&files.cert, key).unwrap();
    let swapped = refused(files);
    assert!(swapped.ends_with("cert.pem has no certificate in the PEM format"), "{swapped}");
}

#[test]
fn the_day_it_expires_is_read() {
    let folder = TempDir::new().unwrap();
    let files = files(&folder);
    let mut params = CertificateParams::new(["collector.example".to_owned()]).unwrap();
    params.not_after = date_time_ymd(2031, 2, 3);
    let key = KeyPair::generate().unwrap();
    fs::write(&files.cert, params.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(&files.key, key.serialize_pem()).unwrap();
    let tls = LiveTls::open(files).unwrap();
    assert_eq!(tls.expires_at(), Some(1_927_843_200_000));
}

#[test]
fn a_changed_pair_is_taken_in_and_a_broken_one_is_not() {
    let folder = TempDir::new().unwrap();
    let (files, metrics) = (files(&folder), Metrics::new());
    renew(&files);
    let tls = LiveTls::open(files.clone()).unwrap();
    let first = tls.current().config;
    renew(&files);
    // A test renews within one tick of the file system's clock.
    let old = std::time::SystemTime::UNIX_EPOCH;
    fs::File::options().append(true).open(&files.cert).unwrap().set_modified(old).unwrap();
    tls.look(&metrics);
    assert!(Arc::ptr_eq(&first, &tls.current().config), "it may still be written");
    tls.look(&metrics);
    let second = tls.current().config;
    assert!(!Arc::ptr_eq(&first, &second));
    fs::write(&files.cert, "half of").unwrap();
    for _ in 0..3 {
        tls.look(&metrics);
    }
    assert!(Arc::ptr_eq(&second, &tls.current().config));
    assert_eq!((metrics.tls_reloads.taken.get(), metrics.tls_reloads.refused.get()), (1, 1));
}
