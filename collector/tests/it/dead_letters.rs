//! Rows that a real ClickHouse refuses: the rest goes in, and they do too once what was wrong is mended.

use std::sync::{Arc, Mutex};

use collector::dead_letters::{DeadLetters, Replayer};
use serde_json::json;
use serde_json::value::RawValue;
use store::Server;
use store::testing::TestDatabase;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::stack::{Collector, Stack, batch, count, files, page_view, with};

async fn execute(database: &TestDatabase, statement: &str) {
    database.server().client().query(statement).execute().await.unwrap();
}

/// A collector that had taken a thousand events when it was killed, one of them with a title that the
/// table no longer takes.
async fn refused(flags: &[&str]) -> Stack {
    let stack = Stack::up(&["--flush-age", "1h"]).await;
    let bad = with(page_view(417), &json!({"title": "forbidden"}));
    let events: Vec<_> = (0..1000)
        .map(|number| if number == 417 { bad.clone() } else { page_view(number) })
        .collect();
    assert_eq!(stack.collector.post(&batch(&events)).await.status, 202);
    let Stack { collector, data_dir, database } = stack;
    collector.kill().await;
    execute(&database, "ALTER TABLE events ADD CONSTRAINT titles CHECK title != 'forbidden'").await;
    let collector = Collector::start(data_dir.path(), database.server(), flags).await;
    Stack { collector, data_dir, database }
}

#[tokio::test]
async fn one_bad_row_of_a_thousand_waits_and_is_replayed() {
    let Stack { collector, data_dir, database } = refused(&[]).await;
    collector.stop().await;
    assert_eq!(count(&database, "events").await, 999);
    let left = files(&data_dir.path().join("spool"));
    assert_eq!(left.len(), 2, "the lock and one letter: {left:?}");

    let dead = DeadLetters::of(data_dir.path());
    let letters = dead.list().unwrap();
    assert_eq!(letters.len(), 1);
    let letter = dead.find(&letters[0].id).unwrap();
    assert_eq!((letter.site.as_str(), letter.table.as_str()), ("shop", "events"));
    assert!(letter.reason.contains("Code: 469"), "{}", letter.reason);
    assert!(letter.row.as_ref().unwrap().get().contains("forbidden"));

    let error = Replayer::new(database.server()).replay(&dead, &letter, None).await.unwrap_err();
    assert!(error.to_string().contains("ClickHouse refuses"), "{error}");
    execute(&database, "ALTER TABLE events DROP CONSTRAINT titles").await;
    // Twice, as if the first had been killed before it took the letter away.
    for _ in 0..2 {
        Replayer::new(database.server()).replay(&dead, &letter, None).await.unwrap();
        assert_eq!(count(&database, "events").await, 1000);
    }
    assert!(dead.list().unwrap().is_empty());
}

#[tokio::test]
async fn a_row_too_large_for_a_column_made_smaller_does_not_stop_the_rest() {
    let stack = Stack::up(&[]).await;
    execute(&stack.database, "ALTER TABLE events MODIFY COLUMN value Decimal(9, 2)").await;
    let worth = |number, value: u32| {
        with(page_view(number), &json!({"properties": {"value": value, "currency": "EUR"}}))
    };
    let events = [worth(1, 12), worth(2, 99_999_999)];
    assert_eq!(stack.collector.post(&batch(&events)).await.status, 202);
    assert_eq!(stack.collector.post(&batch(&[page_view(3)])).await.status, 202);
    let Stack { collector, data_dir, database } = stack;
    collector.stop().await;
    assert_eq!(count(&database, "events").await, 2);
    let letters = DeadLetters::of(data_dir.path()).list().unwrap();
    assert_eq!(letters.len(), 1);
    assert!(letters[0].reason.contains("Code: 407"), "{}", letters[0].reason);
}

#[tokio::test]
async fn a_mended_row_goes_in() {
    let Stack { collector, data_dir, database } = refused(&[]).await;
    collector.stop().await;
    let dead = DeadLetters::of(data_dir.path());
    let letter = dead.list().unwrap().remove(0);
    let mended = letter.row.as_ref().unwrap().get().replace("forbidden", "allowed");
    let mended = RawValue::from_string(mended).unwrap();
    Replayer::new(database.server()).replay(&dead, &letter, Some(&mended)).await.unwrap();
    assert_eq!(count(&database, "events").await, 1000);
    assert_eq!(count(&database, "(SELECT 1 FROM events WHERE title = 'allowed')").await, 1);
}

#[tokio::test]
async fn without_room_for_letters_the_block_is_set_aside_and_goes_in_later() {
    let Stack { collector, data_dir, database } =
        refused(&["--dead-letters-bytes-max", "100"]).await;
    collector.comes_to("collector_blocks_rejected_total", |blocks| blocks >= 1.0).await;
    collector.stop().await;
    let spool = data_dir.path().join("spool");
    let kept = files(&spool.join("rejected"));
    assert_eq!(kept.len(), 3, "block, reason and journal: {kept:?}");
    let reason = std::fs::read_to_string(&kept[1]).unwrap();
    assert!(reason.contains("no room for more dead letters") && reason.contains("469"), "{reason}");
    // As docs/OPERATING.md says: back under a free number, the journal beside it.
    execute(&database, "ALTER TABLE events DROP CONSTRAINT titles").await;
    std::fs::rename(&kept[0], spool.join("0000000000000000.block")).unwrap();
    std::fs::rename(&kept[2], spool.join("0000000000000000.split")).unwrap();
    Collector::start(data_dir.path(), database.server(), &[]).await.stop().await;
    assert_eq!(count(&database, "events").await, 1000);
}

#[tokio::test]
async fn letters_are_counted() {
    let Stack { collector, database: _database, data_dir: _dir } = refused(&[]).await;
    collector.comes_to("collector_rows_dead_total{table=\"events\"}", |rows| rows >= 1.0).await;
    collector.comes_to("collector_dead_letters", |letters| letters >= 1.0).await;
    let ready = collector.get("/readyz").await.json();
    assert_eq!(ready["dead_letters"]["has_room"], true);
    assert_eq!(ready["dead_letters"]["letters"], 1);
    collector.stop().await;
}

#[tokio::test]
async fn the_row_of_a_person_who_was_suppressed_since_stays_a_letter() {
    let stack = Stack::up(&[]).await;
    execute(&stack.database, "ALTER TABLE events ADD CONSTRAINT nobody CHECK user_id = ''").await;
    let known = with(page_view(1), &json!({"user": "u1"}));
    let other = with(page_view(2), &json!({"user": "u2"}));
    assert_eq!(stack.collector.post(&batch(&[known, other])).await.status, 202);
    let Stack { collector, data_dir, database } = stack;
    collector.stop().await;
    execute(&database, "ALTER TABLE events DROP CONSTRAINT nobody").await;
    execute(&database, "INSERT INTO suppressions SELECT 'shop', 'user', lower(hex(SHA256('u1'))), 'asked', now64(3)").await;
    let dead = DeadLetters::of(data_dir.path());
    let mut stayed = Vec::new();
    for letter in dead.list().unwrap() {
        if let Err(error) = Replayer::new(database.server()).replay(&dead, &letter, None).await {
            stayed.push(error.to_string());
        }
    }
    assert_eq!(stayed, ["left out again as person_suppressed (user)"]);
    assert_eq!(count(&database, "events WHERE user_id = 'u2'").await, 1);
    assert_eq!(count(&database, "events").await, 1);
    assert_eq!(dead.list().unwrap().len(), 1, "nothing is lost by it");
}

/// A way to this ClickHouse, and what is asked on it.
async fn overheard(server: &Server) -> (Server, Arc<Mutex<Vec<u8>>>) {
    let (heard, listener) = (Arc::default(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let mut address = server.address().clone();
    let there =
        (address.url.host_str().unwrap().to_owned(), address.url.port_or_known_default().unwrap());
    address.url.set_host(Some("127.0.0.1")).unwrap();
    address.url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
    let keep: Arc<Mutex<Vec<u8>>> = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((mut asking, _)) = listener.accept().await {
            let (keep, there) = (Arc::clone(&keep), there.clone());
            tokio::spawn(async move {
                let mut answering = TcpStream::connect(there).await.unwrap();
                let (mut from, mut back) = asking.split();
                let (mut answers, mut to) = answering.split();
                let ask = async {
                    let mut bytes = vec![0; 65536];
                    while let Ok(read @ 1..) = from.read(&mut bytes).await {
                        keep.lock().unwrap().extend_from_slice(&bytes[..read]);
                        to.write_all(&bytes[..read]).await.unwrap();
                    }
                };
                tokio::select! {
                    () = ask => {}
                    _ = tokio::io::copy(&mut answers, &mut back) => {}
                }
            });
        }
    });
    (Server::new(&address), heard)
}

#[tokio::test]
async fn the_suppression_list_is_read_once_for_all_letters_and_again_when_it_has_changed() {
    let stack = Stack::up(&[]).await;
    execute(&stack.database, "ALTER TABLE events ADD CONSTRAINT nobody CHECK user_id = ''").await;
    let events = [1, 2, 3].map(|number| with(page_view(number), &json!({"user": "u1"})));
    assert_eq!(stack.collector.post(&batch(&events)).await.status, 202);
    let Stack { collector, data_dir, database } = stack;
    collector.stop().await;
    execute(&database, "ALTER TABLE events DROP CONSTRAINT nobody").await;
    let (server, heard) = overheard(database.server()).await;
    let (replayer, dead) = (Replayer::new(&server), DeadLetters::of(data_dir.path()));
    let letters = dead.list().unwrap();
    let read = || {
        let heard = heard.lock().unwrap();
        let question = b"ORDER BY suppressed_at";
        heard.windows(question.len()).filter(|bytes| bytes == question).count()
    };
    for letter in &letters[..2] {
        replayer.replay(&dead, letter, None).await.unwrap();
    }
    assert_eq!(read(), 1);
    execute(&database, "INSERT INTO suppressions SELECT 'shop', 'user', lower(hex(SHA256('u1'))), 'asked', now64(3)").await;
    let stays = replayer.replay(&dead, &letters[2], None).await.unwrap_err();
    assert_eq!(stays.to_string(), "left out again as person_suppressed (user)");
    assert_eq!(read(), 2);
}
