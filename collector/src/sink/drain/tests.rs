//! The way out, with a sink that fails on command.

use std::fs;
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
    let metrics = Metrics::new();
    tokio::time::pause();
    run(dir, &spool, &sink, &metrics).await;
    (spool, sink, metrics)
}

async fn run(dir: &TempDir, spool: &Arc<Spool>, sink: &MemorySink, metrics: &Metrics) {
    let dead = DeadLetters::bounded(dir.path(), 1 << 20);
    let splitter = Splitter { dead: &dead, clock: &SystemClock, metrics };
    let limits = archive::Limits { bytes_max: 0, age_max: None };
    let archive = Arc::new(Keeper::open(dir.path(), limits));
    let (archive, health) = (&archive, &Health::default());
    WayOut { spool, sink, splitter, archive, health }.drain(watch::channel(true).1).await;
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
    let limits = Limits {
        block_rows_max: 1,
        block_bytes_max: 1 << 20,
        block_age_max: Duration::from_secs(3600),
        bytes_max: 1 << 30,
    };
    let (spool, _) = Spool::open(dir.path(), limits, Durability::Process).unwrap();
    let spool = Arc::new(spool);
    for text in ["gone", "damaged", "good"] {
        let mut frame = Frame::default();
        frame.push(Table::Events, &text).unwrap();
        spool.append(frame).await.unwrap();
    }
    fs::remove_file(dir.path().join("0000000000000000.block")).unwrap();
    fs::write(dir.path().join("0000000000000001.block"), "nonsense").unwrap();
    let (sink, metrics) = (MemorySink::default(), Metrics::new());
    run(&dir, &spool, &sink, &metrics).await;
    assert_eq!(texts(&sink), ["good"]);
    assert_eq!(metrics.blocks_damaged.get(), 2);
}
