//! Whatever crashes or is away: every event answered with a 202 is in ClickHouse, once.
//!
//! Counts are without FINAL: one row too many is a failure, even one that a merge would remove.

use serde_json::{Value, json};
use store::Server;
use tempfile::TempDir;

use crate::stack::{
    Collector, Stack, away, batch, count, database, eventually, files, page_view, rows, with,
};

#[tokio::test]
async fn a_stop_drains() {
    let stack = Stack::up(&["--flush-age", "1h"]).await;
    for number in 0..50 {
        assert_eq!(stack.collector.post(&batch(&[page_view(number)])).await.status, 202);
    }
    stack.collector.stop().await;
    assert_eq!(count(&stack.database, "events").await, 50);
    assert_eq!(files(&stack.data_dir.path().join("spool")).len(), 1, "only the lock is left");
}

#[tokio::test]
async fn an_event_is_queryable_without_a_stop() {
    let stack = Stack::up(&[]).await;
    stack.collector.post(&batch(&[page_view(1)])).await;
    eventually("the event is in ClickHouse", || async {
        count(&stack.database, "events").await == 1
    })
    .await;
    // A row can be asked for before the collector has heard that it is in.
    let inserted = "collector_rows_inserted_total{table=\"events\"}";
    stack.collector.comes_to(inserted, |rows| rows >= 1.0).await;
    stack.collector.stop().await;
}

#[tokio::test]
async fn a_kill_loses_nothing_and_doubles_nothing() {
    let database = database().await;
    let dir = TempDir::new().unwrap();
    let mut answered = 0;
    for round in 0..6 {
        // With so short an age, blocks are on every stage of their way when the kill comes.
        let collector = Collector::start(
            dir.path(),
            database.server(),
            &["--flush-age", "5ms", "--flush-rows", "7"],
        )
        .await;
        for _ in 0..30 + round {
            if collector.post(&batch(&[page_view(answered)])).await.status == 202 {
                answered += 1;
            }
        }
        collector.kill().await;
    }
    let collector = Collector::start(dir.path(), database.server(), &[]).await;
    collector.stop().await;
    assert_eq!(answered, 6 * 30 + 15);
    assert_eq!(count(&database, "events").await, answered);
    assert_eq!(count(&database, "(SELECT DISTINCT event_id FROM events)").await, answered);
}

#[tokio::test]
async fn a_block_inserted_but_not_yet_forgotten_is_not_inserted_again() {
    let stack = Stack::up(&["--flush-age", "1h"]).await;
    stack.collector.post(&batch(&[page_view(1), page_view(2)])).await;
    let Stack { collector, data_dir, database } = stack;
    collector.kill().await;
    // The next run inserts the block and removes its file; put back, it looks like a crash between.
    let spool = data_dir.path().join("spool");
    let block = files(&spool)
        .into_iter()
        .find(|file| file.extension().is_some_and(|suffix| suffix == "open"))
        .unwrap();
    let bytes = std::fs::read(&block).unwrap();
    for _ in 0..3 {
        std::fs::write(&block, &bytes).unwrap();
        Collector::start(data_dir.path(), database.server(), &[]).await.stop().await;
        assert_eq!(count(&database, "events").await, 2);
    }
}

#[tokio::test]
async fn an_outage_is_waited_out_and_survives_a_kill() {
    let dir = TempDir::new().unwrap();
    let nobody = away(dir.path());
    let collector = Collector::start(dir.path(), &nobody, &[]).await;
    for number in 0..20 {
        assert_eq!(collector.post(&batch(&[page_view(number)])).await.status, 202);
    }
    collector.comes_to("collector_inserts_retried_total", |tries| tries >= 1.0).await;
    assert_eq!(collector.get("/readyz").await.status, 503);
    collector.kill().await;
    let database = database().await;
    let collector = Collector::start(dir.path(), database.server(), &[]).await;
    collector.post(&batch(&[page_view(20)])).await;
    collector.stop().await;
    assert_eq!(count(&database, "events").await, 21);
}

#[tokio::test]
async fn a_clickhouse_without_tables_is_waited_for() {
    let database = store::testing::TestDatabase::create_empty();
    let dir = TempDir::new().unwrap();
    away(dir.path());
    let collector = Collector::start(dir.path(), database.server(), &[]).await;
    assert_eq!(collector.post(&batch(&[page_view(1)])).await.status, 202);
    collector.comes_to("collector_inserts_retried_total", |tries| tries >= 1.0).await;
    store::migrate::migrate(database.server()).await.unwrap();
    eventually("the event is in ClickHouse", || async { count(&database, "events").await == 1 })
        .await;
    collector.stop().await;
}

#[tokio::test]
async fn a_stop_while_clickhouse_is_away_leaves_everything_for_the_next_start() {
    let dir = TempDir::new().unwrap();
    let nobody = away(dir.path());
    let collector = Collector::start(dir.path(), &nobody, &["--drain-timeout", "300ms"]).await;
    collector.post(&batch(&[page_view(1)])).await;
    collector.stop().await;
    let database = database().await;
    Collector::start(dir.path(), database.server(), &[]).await.stop().await;
    assert_eq!(count(&database, "events").await, 1);
}

#[tokio::test]
async fn a_retried_event_is_one_event() {
    let stack = Stack::up(&[]).await;
    for sent_at in [crate::stack::NOW, crate::stack::NOW - 30_000, crate::stack::NOW + 30_000] {
        let retry = with(batch(&[page_view(1)]), &json!({"sent_at": sent_at}));
        assert_eq!(stack.collector.post(&retry).await.status, 202);
    }
    stack.collector.stop().await;
    let found: Vec<Value> = rows(&stack.database, "SELECT event_id FROM events FINAL").await;
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn two_collectors_cannot_share_a_folder() {
    let dir = TempDir::new().unwrap();
    let nobody: Server = away(dir.path());
    let _first = Collector::start(dir.path(), &nobody, &[]).await;
    let second = Collector::start(dir.path(), &nobody, &[]).await;
    let ended = second.ended().await.unwrap_err().to_string();
    assert!(ended.contains("is in use by another collector"), "{ended}");
}

#[tokio::test]
async fn with_disk_durability_events_arrive_too() {
    let stack = Stack::up(&["--durability", "disk"]).await;
    for number in 0..10 {
        assert_eq!(stack.collector.post(&batch(&[page_view(number)])).await.status, 202);
    }
    stack.collector.stop().await;
    assert_eq!(count(&stack.database, "events").await, 10);
}
