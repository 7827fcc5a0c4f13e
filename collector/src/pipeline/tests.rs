//! The pipeline by itself, where the disk takes its time.

use std::future::poll_fn;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use clap::Parser;
use hyper::header::HeaderMap;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::clock::ManualClock;
use crate::dead_letters::DeadLetters;
use crate::enrich::EnrichFiles;
use crate::gate::GateConfig;
use crate::receive::segment_api::{self, Call};
use crate::spool::{Durability, Limits};

const NOW: i64 = 1_800_000_000_000;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    gate: GateConfig,
}

/// Nobody syncs its spool: as if the disk hung.
fn pipeline(data_dir: &TempDir) -> Pipeline {
    pipeline_with(data_dir, Durability::Disk)
}

fn pipeline_with(data_dir: &TempDir, durability: Durability) -> Pipeline {
    let data_dir = data_dir.path();
    let sites = r#"[{"name": "shop", "origins": ["https://shop.example"]}]"#;
    std::fs::write(data_dir.join("sites.json"), sites).unwrap();
    let limits = Limits {
        block_rows_max: 1000,
        block_bytes_max: 1 << 20,
        block_age_max: Duration::from_secs(60),
        bytes_max: 1 << 24,
    };
    let (spool, _) = Spool::open(&data_dir.join("spool"), limits, durability).unwrap();
    let metrics = Arc::new(Metrics::new());
    let dead = Arc::new(DeadLetters::left_out_bounded(data_dir, 1 << 20));
    let (left_out, _) = LeftOut::new(dead, Arc::clone(&metrics));
    Pipeline {
        clock: Arc::new(ManualClock::at(NOW)),
        gates: Arc::new(Gates::new(
            Arguments::parse_from(["collector", "--site-rate", "0"]).gate.settings(),
        )),
        sites: Arc::new(Sites::load(data_dir)),
        enricher: Arc::new(LiveEnricher::open(&EnrichFiles::default(), 0)),
        suppressed: Arc::new(Suppressed::load(data_dir)),
        left_out,
        salts: Arc::new(DailySalts::load(data_dir, NOW)),
        spool: Arc::new(spool),
        metrics,
        health: Arc::default(),
        refusing: AtomicBool::new(false),
    }
}

/// A body whose end is told.
struct Body(String, Arc<AtomicBool>);

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.1.store(true, Ordering::Relaxed);
    }
}

/// One event, and before it these.
fn batch(before: &str) -> String {
    format!(
        r#"{{"site":"shop","sent_at":{NOW},"events":[{before}{{"id":"018f4d5e-0000-7000-8000-000000000001",
        "type":"page_view","at":{NOW},"visitor":"018f4d5e-0000-7000-8000-00000000000a",
        "url":"https://shop.example/"}}]}}"#
    )
}

fn sender<'a>(told: &'a Told<'a>) -> Sender<'a> {
    let ip = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    Sender { ip, user_agent: "Mozilla/5.0", origin: None, told }
}

#[tokio::test]
async fn a_body_is_gone_while_its_rows_wait_for_the_disk() {
    let data_dir = TempDir::new().unwrap();
    let pipeline = pipeline(&data_dir);
    let gone = Arc::new(AtomicBool::new(false));
    let body = Bytes::from_owner(Body(batch(""), Arc::clone(&gone)));
    let told = Told::default();
    let mut answer = pin!(pipeline.accept(sender(&told), body));
    let waits = poll_fn(|context| Poll::Ready(answer.as_mut().poll(context).is_pending())).await;
    assert!(waits, "it is answered before the disk has it");
    assert!(pipeline.spool.fill().0 > 0, "its rows are written");
    assert!(gone.load(Ordering::Relaxed), "its body is still held");
}

#[tokio::test]
async fn long_answers_that_wait_for_the_disk_have_a_bounded_room() {
    let data_dir = TempDir::new().unwrap();
    let pipeline = pipeline(&data_dir);
    let malformed = format!("{{\"id\":\"{}\"}},", "x".repeat(256));
    let body = Bytes::from(batch(&malformed.repeat(999)));
    let told = Told::default();
    let mut waiting = Vec::new();
    for _ in 0..400 {
        let mut answer = Box::pin(pipeline.accept(sender(&told), body.clone()));
        match poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await {
            Poll::Pending => waiting.push(answer),
            Poll::Ready(answer) => {
                assert_eq!(answer, Err(Rejection::BodiesFull));
                break;
            }
        }
    }
    assert!((100..300).contains(&waiting.len()), "{} wait", waiting.len());
    waiting.clear();
    let mut answer = pin!(pipeline.accept(sender(&told), body));
    let waits = poll_fn(|context| Poll::Ready(answer.as_mut().poll(context).is_pending())).await;
    assert!(waits, "there is room again");
}

/// The answer to one event, where the disk says at once what it can.
async fn answered(pipeline: &Pipeline) -> Result<Answer, Rejection> {
    pipeline.accept(sender(&Told::default()), Bytes::from(batch(""))).await
}

#[tokio::test]
async fn a_spool_that_cannot_be_written_is_told_until_it_can() {
    let data_dir = TempDir::new().unwrap();
    let pipeline = pipeline_with(&data_dir, Durability::Process);
    let health = &pipeline.health;
    let spool_dir = data_dir.path().join("spool");
    answered(&pipeline).await.unwrap();
    assert!(health.spool_works());
    // The open block is sealed, and no new one can be made.
    pipeline.spool.seal();
    std::fs::rename(&spool_dir, data_dir.path().join("away")).unwrap();
    assert!(matches!(answered(&pipeline).await, Err(Rejection::SpoolUnwritable)));
    assert!(!health.spool_works());
    std::fs::rename(data_dir.path().join("away"), &spool_dir).unwrap();
    answered(&pipeline).await.unwrap();
    assert!(health.spool_works());
}

#[tokio::test]
async fn a_spool_that_can_be_written_again_is_found_where_nobody_sends() {
    let data_dir = TempDir::new().unwrap();
    let pipeline = pipeline_with(&data_dir, Durability::Process);
    let health = &pipeline.health;
    let (spool_dir, away) = (data_dir.path().join("spool"), data_dir.path().join("away"));
    std::fs::rename(&spool_dir, &away).unwrap();
    assert!(answered(&pipeline).await.is_err());
    assert!(pipeline.spool.probe().is_err());
    tokio::time::pause();
    let probing = Arc::clone(health).keep_probing(Arc::clone(&pipeline.spool));
    let probing = tokio::spawn(probing);
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert!(!health.spool_works());
    std::fs::rename(&away, &spool_dir).unwrap();
    while !health.spool_works() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    probing.abort();
    assert_eq!(std::fs::read_dir(&spool_dir).unwrap().count(), 1, "only the lock is left");
}

#[tokio::test]
async fn rows_that_only_the_memory_took_do_not_make_the_spool_work() {
    let data_dir = TempDir::new().unwrap();
    let pipeline = pipeline(&data_dir);
    pipeline.health.spool_cannot_be_written();
    pipeline.refusing.store(true, Ordering::Relaxed);
    let told = Told::default();
    let mut answer = pin!(pipeline.accept(sender(&told), Bytes::from(batch(""))));
    let waits = poll_fn(|context| Poll::Ready(answer.as_mut().poll(context).is_pending())).await;
    assert!(waits && pipeline.spool.fill().0 > 0);
    assert!(!pipeline.health.spool_works());
}

#[tokio::test]
async fn long_answers_in_segments_words_have_the_same_room() {
    let data_dir = TempDir::new().unwrap();
    let pipeline = pipeline(&data_dir);
    // An event has a shorter id of ours, and the answer the sender's.
    let message = |number: usize| {
        let event = if number == 0 { "bought" } else { "" };
        json!({"type": "track", "event": event, "anonymousId": "a", "messageId": format!("{number:0>256}")})
    };
    let messages: Vec<_> = (0..1000).map(message).collect();
    let body = json!({"writeKey": "shop", "batch": messages}).to_string();
    let told = Told::default();
    let sender = sender(&told);
    let sent =
        segment_api::request(Call::Batch, &HeaderMap::new(), body.as_bytes(), sender, NOW).unwrap();
    let _others = pipeline.gates.bodies.room(Some(48 << 20)).unwrap();
    let mut waiting = Vec::new();
    while waiting.len() < 100 {
        let words = |answer: &mut Answer| sent.put_into_its_words(answer);
        match pipeline.write(sender, &sent.site, sent.sent_at, &sent.parts, words) {
            Ok(written) => waiting.push(written),
            Err(rejection) => {
                assert_eq!(rejection, Rejection::BodiesFull);
                break;
            }
        }
    }
    let bytes: usize = waiting.iter().map(|written| bytes_held(&written.outcome.answer)).sum();
    assert!(waiting[0].outcome.answer.dropped.iter().all(|dropped| dropped.id.len() == 256));
    assert!(bytes < 16 << 20, "{bytes} bytes wait in {} answers", waiting.len());
}
