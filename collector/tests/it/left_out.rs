//! Events that were left out: kept on wish, with no more of them than a row would have, mended and
//! replayed into a real ClickHouse.

use std::path::Path;

use collector::dead_letters::{DeadLetters, Letter, ReplayError, Replayer};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::site::{Site, SiteSettings, Visitors};
use store::testing::TestDatabase;
use tempfile::TempDir;

use crate::stack::{
    Collector, NOW, Stack, VISITOR, alone, away, batch, count, eventually, files, page_view, rows,
    with,
};

const KEEP: [&str; 4] = ["--keep-dropped-bytes-max", "1000000", "--trusted-proxy", "loopback"];

/// What a broken deploy sends: a relative address, a time in words; beside them what is left out because
/// it is not wanted.
fn broken() -> [Value; 4] {
    [
        with(
            page_view(1),
            &json!({
                "url": "/shoes?token=secret&utm_source=n",
                "title": "of ana@shop.example",
                "properties": {"card": "4111 1111 1111 1111"},
            }),
        ),
        with(page_view(2), &json!({"at": "now", "address": "198.51.100.7"})),
        with(page_view(3), &json!({"url": "https://shop.example/admin/x"})),
        with(
            page_view(4),
            &json!({
                "type": "identify", "properties": {"email": "ana@shop.example", "phone": "0912345678"},
            }),
        ),
    ]
}

#[tokio::test]
async fn what_is_kept_of_an_event_is_no_more_than_a_row_would_have() {
    let (collector, dir) = alone(&KEEP).await;
    let from = [("X-Forwarded-For", "198.51.100.7"), ("User-Agent", "Mozilla/5.0 (X11) Odd/1.0")];
    for _ in 0..2 {
        assert_eq!(collector.post_as(&from, &batch(&broken())).await.json()["accepted"], 0);
    }
    let dead = DeadLetters::left_out_of(dir.path());
    let kept = "collector_left_out_letters_total{outcome=\"kept\"}";
    collector.comes_to(kept, |letters| letters >= 6.0).await;
    let mut reasons: Vec<_> =
        dead.list().unwrap().into_iter().map(|letter| letter.reason).collect();
    reasons.sort();
    assert_eq!(reasons, ["event_malformed", "url_invalid", "user_missing"], "each once");
    for file in files(dir.path()) {
        let text = std::fs::read(&file).unwrap();
        let text = String::from_utf8_lossy(&text);
        for secret in ["secret", "ana@", "4111", "198.51.100.7", "Odd/1.0", "0912345678"] {
            assert!(!text.contains(secret), "{secret} in {}", file.display());
        }
    }
}

/// The copy of the list of suppressed persons, with these on it.
fn suppress(data_dir: &Path, persons: &[(&str, &str)]) {
    let entry = |(kind, person): &(&str, &str)| {
        let hashed = hex::encode(Sha256::digest(person));
        let digest = Sha256::digest(["shop", kind, &hashed].join("\0"));
        u128::from_be_bytes(digest[..16].try_into().unwrap()).to_le_bytes()
    };
    let entries: Vec<u8> = persons.iter().flat_map(entry).collect();
    std::fs::write(data_dir.join("suppressed"), entries).unwrap();
}

#[tokio::test]
async fn what_is_excluded_or_of_a_suppressed_person_is_not_kept_for_its_form_either() {
    let dir = TempDir::new().unwrap();
    let server = away(dir.path());
    suppress(dir.path(), &[("user", "u7"), ("user", "7"), ("email_meta", "ana@shop.example")]);
    let collector = Collector::start(dir.path(), &server, &KEEP).await;
    let broken = |fields: Value| with(with(page_view(1), &json!({"id": "7"})), &fields);
    let malformed = |fields: Value| with(with(page_view(1), &json!({"at": "now"})), &fields);
    let page = |url: &str| json!({ "url": url });
    let unwanted = [
        broken(json!({"user": " u7 "})),
        malformed(json!({"user": "u7"})),
        malformed(json!({"user": 7})),
        malformed(json!({"user": ["u7"]})),
        malformed(json!({"user": {"of": [{"id": 7}]}})),
        malformed(json!({"type": "identify", "user": "u7"})),
        broken(json!({"type": "identify", "properties": {"email": "Ana@shop.example"}})),
        malformed(json!({"type": "identify", "properties": {"email": "ana@shop.example"}})),
        broken(json!({"type": "Identify", "properties": {"email": "ana@shop.example"}})),
        with(page_view(1), &json!({"url": "https://other.example/", "user": "u7"})),
        with(
            page_view(1),
            &json!({"url": "https://other.example/", "referrer": "https://spam.example/"}),
        ),
        broken(page("https://shop.example/admin/x")),
        malformed(page("https://shop.example/admin/x")),
        broken(page("https://STAGING.shop.example/")),
        // What is broken is the address itself.
        with(page_view(1), &page("/admin/x?token=1")),
        with(page_view(1), &page("admin/x")),
        with(page_view(1), &page("//staging.shop.example/x")),
        with(page_view(1), &page("staging.shop.example/x")),
        with(page_view(1), &page("shop.example/admin")),
        with(page_view(1), &page("https:staging.shop.example/x")),
        broken(page("https:///staging.shop.example/x")),
        with(page_view(1), &page("https:admin/x")),
        broken(json!({"referrer": "https://www.spam.example/x"})),
        malformed(json!({"referrer": "https://semalt.com/"})),
    ];
    let wanted = with(page_view(1), &json!({"url": "/shoes", "user": "u8"}));
    let events: Vec<_> = unwanted.into_iter().chain([wanted]).collect();
    assert_eq!(collector.post(&batch(&events)).await.json()["accepted"], 0);
    let dead = DeadLetters::left_out_of(dir.path());
    // Letters are written one after another, and this one's is the last.
    let is_written = |letters: &[Letter]| {
        letters.iter().any(|letter| letter.event.as_ref().unwrap().get().contains("/shoes"))
    };
    eventually("the wanted one is written", || async { is_written(&dead.list().unwrap()) }).await;
    let kept = dead.list().unwrap();
    let kept: Vec<_> = kept.iter().map(|letter| letter.event.as_ref().unwrap().get()).collect();
    assert_eq!(kept.len(), 1, "{kept:#?}");
}

#[tokio::test]
async fn by_default_nothing_is_kept() {
    let (collector, dir) = alone(&[]).await;
    assert_eq!(collector.post(&batch(&broken())).await.status, 202);
    collector.stop().await;
    assert_eq!(files(&dir.path().join("spool")), [dir.path().join("spool/lock")]);
}

#[tokio::test]
async fn what_has_no_room_is_counted_and_answered_as_ever() {
    let (collector, dir) = alone(&["--keep-dropped-bytes-max", "10"]).await;
    assert_eq!(collector.post(&batch(&broken())).await.status, 202);
    let no_room = "collector_left_out_letters_total{outcome=\"no_room\"}";
    collector.comes_to(no_room, |letters| letters >= 3.0).await;
    assert!(DeadLetters::left_out_of(dir.path()).list().unwrap().is_empty());
}

#[tokio::test]
async fn a_mended_event_is_stored_once_with_what_its_request_told() {
    let Stack { collector, data_dir, database } = Stack::up(&KEEP).await;
    let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 \
        (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";
    let broken = with(page_view(1), &json!({"url": "/shoes?utm_source=n&utm_medium=email"}));
    collector.post_as(&[("User-Agent", phone)], &batch(&[broken])).await;
    let dead = DeadLetters::left_out_of(data_dir.path());
    eventually("the letter is written", || async { dead.list().unwrap().len() == 1 }).await;
    collector.stop().await;
    let letter = dead.list().unwrap().remove(0);

    let again = Replayer::new(database.server()).replay(&dead, &letter, None).await.unwrap_err();
    assert!(matches!(again, ReplayError::Dropped(reason) if reason.tag() == "url_invalid"));
    assert_eq!(dead.list().unwrap().len(), 1);

    let event = letter.event.as_ref().unwrap().get();
    let mended = event.replace("\"/shoes", "\"https://shop.example/shoes");
    let mended = RawValue::from_string(mended).unwrap();
    // Twice, as if the first had been killed before it took the letter away.
    for _ in 0..2 {
        Replayer::new(database.server()).replay(&dead, &letter, Some(&mended)).await.unwrap();
        assert_eq!(count(&database, "events").await, 1);
    }
    let question = format!(
        "SELECT path, channel, device, toUnixTimestamp64Milli(received_at) = {} AS as_of_receipt \
         FROM events",
        NOW
    );
    let found: Vec<Value> = rows(&database, &question).await;
    let expected =
        json!({"path": "/shoes", "channel": "Email", "device": "mobile", "as_of_receipt": 1});
    assert_eq!(found, [expected]);
    assert!(dead.list().unwrap().is_empty());
}

#[tokio::test]
async fn what_was_left_out_for_a_forgotten_host_is_stored_when_the_host_is_named() {
    let Stack { collector, data_dir, database } = Stack::up(&KEEP).await;
    let sold = with(page_view(1), &json!({"url": "https://checkout.example/thanks"}));
    let answer = collector.post(&batch(&[sold])).await;
    assert_eq!(answer.header("x-footfall-dropped"), Some("host_not_allowed"));
    let dead = DeadLetters::left_out_of(data_dir.path());
    eventually("the letter is written", || async { dead.list().unwrap().len() == 1 }).await;
    collector.stop().await;
    let letter = dead.list().unwrap().remove(0);
    let again = Replayer::new(database.server()).replay(&dead, &letter, None).await.unwrap_err();
    assert!(matches!(again, ReplayError::Dropped(reason) if reason.tag() == "host_not_allowed"));

    let hosts = ["shop.example", "checkout.example"].map(|host| host.parse().unwrap());
    let settings = SiteSettings { hosts: hosts.into(), ..SiteSettings::default() };
    let site = Site { name: "shop".parse().unwrap(), settings };
    store::site::add(database.server(), &site, NOW + 1).await.unwrap();
    Replayer::new(database.server()).replay(&dead, &letter, None).await.unwrap();
    assert_eq!(count(&database, "events").await, 1);
}

#[tokio::test]
async fn of_a_visitor_without_a_cookie_only_the_days_id_is_kept() {
    let database = TestDatabase::create().await;
    let settings = SiteSettings { visitors: Visitors::Cookieless, ..SiteSettings::default() };
    let site = Site { name: "shop".parse().unwrap(), settings };
    store::site::add(database.server(), &site, NOW).await.unwrap();
    let folder = TempDir::new().unwrap();
    let collector = Collector::start(folder.path(), database.server(), &KEEP).await;
    let broken = with(page_view(1), &json!({"url": "/shoes"}));
    let whole = page_view(2);
    assert_eq!(collector.post(&batch(&[broken, whole])).await.json()["accepted"], 1);
    let dead = DeadLetters::left_out_of(folder.path());
    eventually("the letter is written", || async { dead.list().unwrap().len() == 1 }).await;
    collector.stop().await;

    let letter = dead.list().unwrap().remove(0);
    let event = letter.event.as_ref().unwrap().get();
    assert!(!event.contains(VISITOR), "{event}");
    let mended = event.replace("\"/shoes", "\"https://shop.example/shoes");
    let mended = RawValue::from_string(mended).unwrap();
    Replayer::new(database.server()).replay(&dead, &letter, Some(&mended)).await.unwrap();
    let question =
        "SELECT count() AS events, uniqExact(visitor_id, session_id) AS visitors FROM events";
    let found: Vec<Value> = rows(&database, question).await;
    assert_eq!(found, [json!({"events": 2, "visitors": 1})], "as if it had been whole at once");
}
