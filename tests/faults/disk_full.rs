//! The disk under the spool is full.

use std::process::Command;

use anyhow::ensure;
use footfall_tests::{eventually, footfall};

use super::{House, Load, PATIENCE};

/// Bytes of the disk: less than a spool may hold, so that the disk is full first.
const DISK: &str = "12m";

/// The same command with a small disk of its own under the folder, which nobody else sees.
fn on_a_small_disk(command: &Command, folder: &str) -> Command {
    let mount = format!(
        "mount -t tmpfs -o size={DISK} footfall-test \"$0\" && cp \"$SITES\" \"$0\" && exec \"$@\""
    );
    let mut small = Command::new("unshare");
    small.args(["--user", "--map-root-user", "--mount", "sh", "-c"]);
    small.arg(mount).arg(folder);
    small.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => small.env(name, value),
            None => small.env_remove(name),
        };
    }
    small
}

#[test]
fn a_full_disk_refuses_and_loses_nothing() {
    let mut house = House::up(&["--flush-bytes", "1000000", "--spool-bytes-max", "100000000"]);
    // Its copy of the sites, for the collector that starts while ClickHouse is away.
    let sites = house.data().join("sites.json");
    eventually(PATIENCE, || {
        ensure!(sites.exists(), "no copy of the sites");
        Ok(())
    })
    .unwrap();
    house.stop_collector();
    let kept = tempfile::tempdir().unwrap();
    std::fs::copy(&sites, kept.path().join("sites.json")).unwrap();

    house.kill_clickhouse();
    let folder = house.data().to_str().unwrap().to_owned();
    let mut small = on_a_small_disk(&footfall(&house.collect()).unwrap(), &folder);
    small.env("SITES", kept.path().join("sites.json"));
    house.start_as(small);
    let load = Load::start(&house.address, 4, 50);
    eventually(PATIENCE, || {
        ensure!(load.refused() > 20, "the disk is not full yet");
        Ok(())
    })
    .unwrap();
    assert!(load.answered() > 5000, "{} were answered", load.answered());

    house.start_clickhouse();
    // It takes events again by itself.
    load.goes_on(1000);
    let answered = load.end();
    house.holds_once(&answered);
    house.stop_collector();
}
