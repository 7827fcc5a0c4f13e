//! The way out, with a sink that fails on command.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use tempfile::TempDir;

use super::super::memory::MemorySink;
use super::*;
use crate::archive;
use crate::clock::SystemClock;
use crate::dead_letters::DeadLetters;
use crate::metrics::Metrics;
use crate::spool::block::{Frame, Table};
use crate::spool::{Durability, Limits};

/// A spool with one block for each text, and what a drain made of it with so many failures first.
async fn drained(
    dir: &TempDir,
    texts: &[&str],
    away_for: u32,
) -> (Arc<Spool>, MemorySink, Metrics) {
    let sink = MemorySink { away_for: Mutex::new(away_for), ..MemorySink::default() };
    drained_by(dir, texts, sink).await
}

async fn drained_by(
    dir: &TempDir,
    texts: &[&str],
    sink: MemorySink,
) -> (Arc<Spool>, MemorySink, Metrics) {
    let (spool, metrics) = (spooled(dir, texts).await, Metrics::new());
    tokio::time::pause();
    run(dir, &spool, &sink, &metrics).await;
    (spool, sink, metrics)
}

/// A spool with one block for each text.
async fn spooled(dir: &TempDir, texts: &[&str]) -> Arc<Spool> {
    let limits = Limits {
        block_rows_max: 1,
        block_bytes_max: 1 << 20,
        block_age_max: Duration::from_secs(3600),
        bytes_max: 1 << 30,
    };
    let (spool, _) = Spool::open(dir.path(), limits, Durability::Process).unwrap();
    let spool = Arc::new(spool);
    for text in texts {
        let mut frame = Frame::default();
        frame.push(Table::Events, text).unwrap();
        spool.append(frame).await.unwrap();
    }
    spool
}

async fn run(dir: &TempDir, spool: &Arc<Spool>, sink: &MemorySink, metrics: &Metrics) {
    run_telling(dir, spool, sink, metrics, &Health::default()).await;
}

async fn run_telling(
    dir: &TempDir,
    spool: &Arc<Spool>,
    sink: &MemorySink,
    metrics: &Metrics,
    health: &Health,
) {
    let dead = DeadLetters::bounded(dir.path(), 1 << 20);
    let splitter = Splitter { dead: &dead, clock: &SystemClock, metrics };
    let limits = archive::Limits { bytes_max: 0, age_max: None };
    let archive = Arc::new(Keeper::open(dir.path(), limits));
    let way_out = WayOut { spool, sink, splitter, archive: &archive, health };
    way_out.drain(watch::channel(true).1).await;
}

fn texts(sink: &MemorySink) -> Vec<String> {
    let tries = sink.tries.lock().unwrap();
    tries.iter().map(|(_, rows)| String::from_utf8(rows[0][1..].to_vec()).unwrap()).collect()
}

#[tokio::test]
async fn blocks_go_in_in_order_and_leave_the_disk() {
    let dir = TempDir::new().unwrap();
    let (spool, sink, _) = drained(&dir, &["a", "b", "c"], 0).await;
    assert_eq!(texts(&sink), ["a", "b", "c"]);
    assert_eq!(spool.fill().0, 0);
}

#[tokio::test]
async fn a_retry_is_the_same_insert_and_none_overtakes_it() {
    let dir = TempDir::new().unwrap();
    let (_, sink, metrics) = drained(&dir, &["a", "b"], 2).await;
    assert_eq!(texts(&sink), ["a", "a", "a", "b"]);
    assert_eq!(metrics.inserts_retried.get(), 2);
    let tries = sink.tries.lock().unwrap();
    assert_eq!(tries[0], tries[2]);
    assert_ne!(tries[2].0, tries[3].0);
}

#[tokio::test]
async fn while_nobody_answers_nothing_is_tried_and_it_is_counted() {
    let dir = TempDir::new().unwrap();
    let (_, sink, metrics) = drained_by(
        &dir,
        &["a"],
        MemorySink { away_for: Mutex::new(1), silent_for: Mutex::new(5), ..MemorySink::default() },
    )
    .await;
    assert_eq!(texts(&sink), ["a", "a"], "the first try, and the one after it answers again");
    assert_eq!(metrics.inserts_retried.get(), 6);
}

#[tokio::test]
async fn an_answer_nobody_knows_is_at_last_taken_to_be_about_a_row() {
    let dir = TempDir::new().unwrap();
    let sink = MemorySink { refuses_with: 4711, ..MemorySink::default() };
    let (_, sink, metrics) = drained_by(&dir, &["bad", "good"], sink).await;
    assert_eq!(texts(&sink).iter().filter(|text| *text == "bad").count(), 61);
    assert_eq!(texts(&sink).last().unwrap(), "good");
    assert_eq!(metrics.inserts_retried.get(), 60);
    assert!(DeadLetters::of(dir.path()).list().unwrap()[0].reason.contains("Code: 4711"));
}

#[tokio::test]
async fn an_answer_that_passes_is_waited_out() {
    let dir = TempDir::new().unwrap();
    let sink = MemorySink {
        refuses_with: 241,
        refused_for: Mutex::new(Some(200)),
        ..MemorySink::default()
    };
    let (_, sink, _) = drained_by(&dir, &["bad"], sink).await;
    assert_eq!(texts(&sink).len(), 201);
    assert_eq!(DeadLetters::of(dir.path()).list().unwrap().len(), 0);
}

#[tokio::test]
async fn a_refused_row_is_a_dead_letter_and_the_rest_goes_in() {
    let dir = TempDir::new().unwrap();
    let (spool, sink, metrics) = drained(&dir, &["bad", "good"], 0).await;
    assert_eq!(texts(&sink), ["bad", "good"]);
    assert_eq!((metrics.blocks_rejected.get(), spool.blocks_waiting()), (0, 0));
    let letters = DeadLetters::of(dir.path()).list().unwrap();
    assert_eq!(letters.len(), 1);
    assert!(letters[0].reason.contains("Code: 33"));
    assert_eq!(letters[0].site, "bad");
}

#[tokio::test]
async fn a_file_that_is_gone_or_damaged_does_not_stop_the_rest() {
    let dir = TempDir::new().unwrap();
    let spool = spooled(&dir, &["gone", "damaged", "good"]).await;
    fs::remove_file(dir.path().join("0000000000000000.block")).unwrap();
    fs::write(dir.path().join("0000000000000001.block"), "nonsense").unwrap();
    let (sink, metrics) = (MemorySink::default(), Metrics::new());
    run(&dir, &spool, &sink, &metrics).await;
    assert_eq!(texts(&sink), ["good"]);
    assert_eq!(metrics.blocks_damaged.get(), 2);
}

/// Lets the drain run until the health is as said.
async fn until(said: impl Fn() -> bool) {
    while !said() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_refusal_a_file_that_fails_and_an_outage_are_told_apart() {
    let dir = TempDir::new().unwrap();
    let spool = spooled(&dir, &["bad"]).await;
    let metrics = Metrics::new();
    let health = Health::default();
    health.clickhouse_answered();
    let sink =
        MemorySink { refuses_with: 497, refused_for: Mutex::new(Some(3)), ..MemorySink::default() };
    let (path, kept) = (dir.path().join("0000000000000000.block"), dir.path().join("kept"));
    fs::rename(&path, &kept).unwrap();
    fs::create_dir(&path).unwrap();
    tokio::time::pause();
    let told = async {
        until(|| !health.spool_works()).await;
        assert!(health.clickhouse_takes_rows() && health.clickhouse_answers());
        fs::remove_dir(&path).unwrap();
        fs::rename(&kept, &path).unwrap();
        until(|| !health.clickhouse_takes_rows()).await;
        assert!(health.spool_works() && health.clickhouse_answers());
    };
    tokio::join!(run_telling(&dir, &spool, &sink, &metrics, &health), told);
    assert!(health.spool_works() && health.clickhouse_takes_rows());
    assert_eq!(spool.blocks_waiting(), 0);
}

#[tokio::test]
async fn what_is_known_of_a_block_is_known_under_another_number_too() {
    let dir = TempDir::new().unwrap();
    let spool = spooled(&dir, &["bad"]).await;
    let sealed = spool.oldest().unwrap();
    let block = spool.read(sealed).unwrap().unwrap();
    spool.journal(sealed, &block).unwrap().refuse(Table::Events, &(0..1)).unwrap();
    drop(spool);
    for end in ["block", "split"] {
        let path = |number| dir.path().join(format!("{number:016}.{end}"));
        fs::rename(path(0), path(7)).unwrap();
    }
    let spool = spooled(&dir, &[]).await;
    let sealed = spool.oldest().unwrap();
    let block = spool.read(sealed).unwrap().unwrap();
    assert!(spool.journal(sealed, &block).unwrap().is_refused(Table::Events, &(0..1)));
}

/// The files of the folder with this ending.
fn files(dir: &TempDir, end: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|found| found == end)).collect()
}

fn frame(text: &str) -> Vec<u8> {
    let mut frame = Frame::default();
    frame.push(Table::Events, &text).unwrap();
    frame.finish().to_vec()
}

#[tokio::test]
async fn what_is_whole_before_a_hole_of_a_power_loss_goes_in_and_the_file_is_kept() {
    let mut half_written = frame(&"never answered ".repeat(1000));
    let length = half_written.len();
    half_written.truncate(4096);
    half_written.resize(length, 0);
    let hole = [vec![0; 4096], frame("behind the hole")].concat();
    for hurt in [half_written, hole] {
        let dir = TempDir::new().unwrap();
        drop(spooled(&dir, &["answered"]).await);
        let path = dir.path().join("0000000000000000.block");
        let bytes = [fs::read(&path).unwrap(), hurt].concat();
        fs::write(&path, &bytes).unwrap();
        let (sink, metrics) = (MemorySink::default(), Metrics::new());
        let spool = spooled(&dir, &["next"]).await;
        run(&dir, &spool, &sink, &metrics).await;
        assert_eq!(texts(&sink), ["answered", "next"]);
        assert_eq!(metrics.blocks_damaged.get(), 1);
        let kept = files(&dir, "damaged");
        assert_eq!(fs::read(&kept[0]).unwrap(), bytes, "as it was found");
        assert_eq!(spool.fill().0, bytes.len() as u64, "it still counts");
        drop(spool);
        let spool = spooled(&dir, &[]).await;
        assert_eq!((spool.blocks_waiting(), spool.fill().0), (0, bytes.len() as u64));
    }
}

#[tokio::test]
async fn what_is_known_of_a_damaged_block_is_kept_beside_it() {
    let dir = TempDir::new().unwrap();
    let spool = spooled(&dir, &["a"]).await;
    let sealed = spool.oldest().unwrap();
    let block = spool.read(sealed).unwrap().unwrap();
    spool.journal(sealed, &block).unwrap().refuse(Table::Events, &(0..1)).unwrap();
    let known = fs::read(dir.path().join("0000000000000000.split")).unwrap();
    let path = dir.path().join("0000000000000000.block");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    drop(spool);
    let (sink, metrics) = (MemorySink::default(), Metrics::new());
    run(&dir, &spooled(&dir, &[]).await, &sink, &metrics).await;
    assert_eq!((texts(&sink).len(), metrics.blocks_damaged.get()), (0, 1));
    // The next start leaves it where it is, and goes by it no more once the block is gone.
    for _ in 0..2 {
        let kept = files(&dir, "damaged").pop().unwrap();
        let journals = files(&dir, "split");
        assert_eq!(journals, [kept.with_extension("split")]);
        assert_eq!(fs::read(&journals[0]).unwrap(), known);
        drop(spooled(&dir, &[]).await);
    }
    fs::remove_file(files(&dir, "damaged").pop().unwrap()).unwrap();
    drop(spooled(&dir, &[]).await);
    assert!(files(&dir, "split").is_empty());
}
