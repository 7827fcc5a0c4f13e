//! Files of the spool are cut, changed or taken away.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::ensure;
use footfall_tests::eventually;

use super::{House, Load, PATIENCE};

/// Counted anew by each run of the collector.
const DAMAGED: &str = "collector_blocks_damaged_total";

/// Thirty events, one a request, in one file that no ClickHouse has taken yet; then a kill. `damaged` files
/// are reported at the start.
fn one_file(house: &mut House, damaged: f64) -> (Vec<String>, PathBuf) {
    let before = files(house);
    house.start_collector();
    assert_eq!(house.metric(DAMAGED), damaged);
    let answered = thirty(house);
    house.kill_collector();
    let new: Vec<PathBuf> =
        files(house).into_iter().filter(|file| !before.contains(file)).collect();
    let [file] = new.try_into().unwrap();
    (answered, file)
}

fn thirty(house: &House) -> Vec<String> {
    let load = Load::start(&house.address, 1, 1);
    load.goes_on(30);
    load.end()
}

fn files(house: &House) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(house.spool()) else { return Vec::new() };
    let number = |path: &Path| path.file_stem().unwrap().to_owned();
    let paths = entries.map(|entry| entry.unwrap().path());
    let blocks = paths.filter(|path| path.extension().is_some_and(|end| end == "open"));
    // The last run's file is sealed by the next start, under the same number.
    let mut blocks: Vec<_> = blocks.collect();
    blocks.sort_by_key(|path| number(path));
    blocks
}

fn cut(file: &Path, bytes: u64) {
    let open = fs::OpenOptions::new().write(true).open(file).unwrap();
    open.set_len(open.metadata().unwrap().len() - bytes).unwrap();
}

/// Turns one bit so many bytes before the end.
fn flip(file: &Path, before_end: usize) {
    let mut bytes = fs::read(file).unwrap();
    let at = bytes.len() - before_end;
    bytes[at] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[test]
fn what_is_whole_goes_in_and_what_is_not_is_reported() {
    let mut house = House::without_collector(&["--flush-age", "1h"]);
    // So that the collector knows the site while ClickHouse is away.
    house.start_collector();
    let sites = house.data().join("sites.json");
    eventually(PATIENCE, || {
        ensure!(sites.exists(), "no copy of the sites");
        Ok(())
    })
    .unwrap();
    house.kill_collector();
    house.kill_clickhouse();

    let (mut cut_short, file) = one_file(&mut house, 0.0);
    cut(&file, 5);
    // What is cut cannot be told from what was never written.
    let (mut flipped, file) = one_file(&mut house, 0.0);
    flip(&file, 20);
    let (sealed, file) = one_file(&mut house, 1.0);
    // The next start seals it; then it is changed.
    house.arguments = ["--flush-age", "500ms"].map(str::to_owned).to_vec();
    house.start_collector();
    let file = file.with_extension("block");
    eventually(PATIENCE, || {
        ensure!(file.exists(), "the last run's file is not sealed");
        Ok(())
    })
    .unwrap();
    flip(&file, 20);
    let before = blocks(&house);
    let gone = thirty(&house);
    // On a slow machine they are in several files, and one is sealed while it is looked for.
    eventually(PATIENCE, || {
        let mut new = blocks(&house);
        new.retain(|file| !before.iter().any(|old| old.file_stem() == file.file_stem()));
        new.iter().for_each(|file| drop(fs::remove_file(file)));
        ensure!(new.is_empty(), "{new:?} were there");
        Ok(())
    })
    .unwrap();
    house.start_clickhouse();

    eventually(PATIENCE, || {
        let damaged = house.metric(DAMAGED);
        ensure!(damaged >= 2.0, "{damaged} files were reported, not 2");
        Ok(())
    })
    .unwrap();
    // Of the first two only the last event was hurt.
    cut_short.pop();
    flipped.pop();
    let whole = [cut_short, flipped].concat();
    house.holds_once(&whole);
    let stored = house.ask("SELECT count() FROM footfall.events").unwrap();
    assert_eq!(stored.trim(), whole.len().to_string());
    let aside = fs::read_dir(house.spool()).unwrap().map(|entry| entry.unwrap().path());
    let aside = aside.filter(|path| path.extension().is_some_and(|end| end == "damaged")).count();
    assert_eq!(aside, 2, "the changed files are kept beside");
    assert!(sealed.len() >= 30 && gone.len() >= 30, "{} {}", sealed.len(), gone.len());
}

/// Files with events in them, sealed or not.
fn blocks(house: &House) -> Vec<PathBuf> {
    let entries = fs::read_dir(house.spool()).unwrap().map(|entry| entry.unwrap().path());
    let is_block =
        |path: &PathBuf| path.extension().is_some_and(|end| end == "block" || end == "open");
    entries.filter(is_block).collect()
}
