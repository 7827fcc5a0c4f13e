//! The way out, with a sink that fails on command.

use std::collections::VecDeque;
use std::fs;
use std::sync::Mutex;

use tempfile::TempDir;

use super::super::memory::{MemorySink, Outcome};
use super::*;
use crate::spool::block::Frame;
use crate::spool::{Durability, Limits};

/// A spool with one block for each text, and what a drain made of it with these failures first.
async fn drained(
    dir: &TempDir,
    texts: &[&str],
    planned: &[Outcome],
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
    let sink = MemorySink {
        planned: Mutex::new(VecDeque::from(planned.to_vec())),
        ..MemorySink::default()
    };
    let metrics = Metrics::new();
    tokio::time::pause();
    drain(&spool, &sink, &metrics, &Health::default(), watch::channel(true).1).await;
    (spool, sink, metrics)
}

fn texts(sink: &MemorySink) -> Vec<String> {
    let tries = sink.tries.lock().unwrap();
    tries.iter().map(|(_, rows)| String::from_utf8(rows[0][1..].to_vec()).unwrap()).collect()
}

#[tokio::test]
async fn blocks_go_in_in_order_and_leave_the_disk() {
    let dir = TempDir::new().unwrap();
    let (spool, sink, _) = drained(&dir, &["a", "b", "c"], &[]).await;
    assert_eq!(texts(&sink), ["a", "b", "c"]);
    assert_eq!(spool.fill().0, 0);
}

#[tokio::test]
async fn a_retry_is_the_same_insert_and_none_overtakes_it() {
    let dir = TempDir::new().unwrap();
    let (_, sink, metrics) = drained(&dir, &["a", "b"], &[Outcome::Retry, Outcome::Retry]).await;
    assert_eq!(texts(&sink), ["a", "a", "a", "b"]);
    assert_eq!(metrics.inserts_retried.get(), 2);
    let tries = sink.tries.lock().unwrap();
    assert_eq!(tries[0], tries[2]);
    assert_ne!(tries[2].0, tries[3].0);
}

#[tokio::test]
async fn a_refused_block_is_kept_with_its_reason_and_the_rest_goes_in() {
    let dir = TempDir::new().unwrap();
    let (spool, sink, metrics) = drained(&dir, &["bad", "good"], &[Outcome::Reject]).await;
    assert_eq!(texts(&sink), ["bad", "good"]);
    assert_eq!((metrics.blocks_rejected.get(), spool.blocks_waiting()), (1, 0));
    let kept: Vec<_> = fs::read_dir(dir.path().join("rejected"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let reason =
        kept.iter().find(|path| path.extension().is_some_and(|suffix| suffix == "txt")).unwrap();
    assert!(fs::read_to_string(reason).unwrap().contains("Code: 33"));
    let block =
        kept.iter().find(|path| path.extension().is_some_and(|suffix| suffix == "block")).unwrap();
    assert_eq!(Block::read(fs::read(block).unwrap()).unwrap().rows(Table::Events).count(), 1);
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
    drain(&spool, &sink, &metrics, &Health::default(), watch::channel(true).1).await;
    assert_eq!(texts(&sink), ["good"]);
    assert_eq!(metrics.blocks_damaged.get(), 2);
}
