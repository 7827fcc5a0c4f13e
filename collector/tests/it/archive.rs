//! The archive and its replay: rows are judged by today's rules, once, and put back where a table has lost
//! them.

use collector::archive::{Archive, Replay, Replayed};
use serde_json::{Value, json};
use store::site::{Site, SiteSettings};
use store::testing::TestDatabase;
use tempfile::TempDir;

use crate::stack::{NOW, Stack, batch, count, page_view, rows, with};

const ARCHIVING: [&str; 2] = ["--archive-bytes-max", "67108864"];

/// Gives the site `shop` these settings, later than any before.
async fn settle(database: &TestDatabase, settings: SiteSettings) {
    let origins = vec!["https://shop.example".parse().unwrap()];
    let settings = SiteSettings { origins, ..settings };
    let site = Site { name: "shop".parse().unwrap(), settings };
    store::site::add(database.server(), &site, NOW).await.unwrap();
}

fn categories(rules: &[&str]) -> SiteSettings {
    let categories = rules.iter().map(|rule| rule.parse().unwrap()).collect();
    SiteSettings { categories, ..SiteSettings::default() }
}

async fn run(database: &TestDatabase, statement: &str) {
    database.server().client().query(statement).execute().await.unwrap();
}

/// Events that were archived while the site had this rule, all of them in ClickHouse.
async fn archived(events: &[Value]) -> (TempDir, TestDatabase) {
    let Stack { collector, data_dir, database } = {
        let database = crate::stack::database().await;
        settle(&database, categories(&["/tea/*=Drinks"])).await;
        let data_dir = TempDir::new().unwrap();
        let collector =
            crate::stack::Collector::start(data_dir.path(), database.server(), &ARCHIVING).await;
        Stack { collector, data_dir, database }
    };
    let answer = collector.post(&batch(events)).await;
    assert_eq!(answer.json()["accepted"], events.len(), "{}", answer.text());
    collector.stop().await;
    (data_dir, database)
}

fn visits() -> [Value; 4] {
    let of = |number, fields: &Value| with(page_view(number), fields);
    [
        of(1, &json!({"url": "https://shop.example/tea/green", "title": "Green"})),
        of(2, &json!({"url": "https://shop.example/tea/black", "categories": ["Sale"]})),
        of(3, &json!({"referrer": "https://chatgpt.com/"})),
        of(
            4,
            &json!({"url": "https://shop.example/?gclid=x", "referrer": "https://blog.example/"}),
        ),
    ]
}

async fn replay(data_dir: &TempDir, database: &TestDatabase, asked: &Replay) -> Replayed {
    let mut done = 0;
    let archive = Archive::of(data_dir.path());
    let told = archive.replay(database.server(), asked, |bytes| done = bytes).await.unwrap();
    assert_eq!(done, archive.bytes().unwrap(), "the progress ends with all of it");
    told
}

async fn stored(database: &TestDatabase) -> Vec<Value> {
    let question = "SELECT toUInt8(substring(toString(event_id), 36)) AS event, source, medium, \
                    channel, categories, title FROM events FINAL ORDER BY event";
    rows(database, question).await
}

#[tokio::test]
async fn what_was_told_by_other_rules_is_told_by_todays_once() {
    let (data_dir, database) = archived(&visits()).await;
    let listed = Archive::of(data_dir.path()).list().unwrap();
    assert_eq!(listed.iter().map(|file| file.rows).sum::<u64>(), 4);
    let by_our_rules = stored(&database).await;
    assert_eq!(by_our_rules[0]["categories"], json!(["Drinks"]));
    // As a release would have told it that did not know assistants, nor these two channels.
    run(&database, "ALTER TABLE events UPDATE channel = 'Old', source = if(channel = 'AI Assistant', 'chatgpt.com', source) WHERE site = 'shop' SETTINGS mutations_sync = 1").await;
    // A person has changed what no rule makes.
    run(
        &database,
        "ALTER TABLE events UPDATE title = '' WHERE title = 'Green' SETTINGS mutations_sync = 1",
    )
    .await;
    settle(&database, categories(&["/tea/*=Tea"])).await;
    let before = stored(&database).await;

    let dry = Replay { dry_run: true, ..Replay::default() };
    let would = replay(&data_dir, &database, &dry).await;
    assert_eq!((would.events, would.changed, would.unchanged), (4, 4, 0));
    assert_eq!(stored(&database).await, before, "a dry run does nothing");

    let told = replay(&data_dir, &database, &Replay::default()).await;
    assert_eq!(told, would);
    assert_eq!(told.columns, [("categories", 1), ("channel", 4), ("source", 1)].into());
    let mut expected = by_our_rules.clone();
    expected[0]["categories"] = json!(["Tea"]);
    expected[0]["title"] = json!("");
    assert_eq!(stored(&database).await, expected);
    assert_eq!(expected[1]["categories"], json!(["Sale"]), "what the page said stays");
    assert_eq!(expected[2]["channel"], "AI Assistant");
    assert_eq!(
        (&expected[3]["source"], &expected[3]["channel"]),
        (&json!("google"), &json!("Paid Search"))
    );
    assert_eq!(count(&database, "events FINAL").await, 4);

    let with_versions = count(&database, "events").await;
    let again = replay(&data_dir, &database, &Replay::default()).await;
    assert_eq!((again.changed, again.unchanged, again.missing), (0, 4, 0));
    assert_eq!(count(&database, "events").await, with_versions, "nothing was put in again");

    let newer = format!("events FINAL WHERE received_at = fromUnixTimestamp64Milli({})", NOW + 1);
    assert_eq!(count(&database, &newer).await, 4, "a version that a merge keeps");

    let undo = Replay { as_archived: true, ..Replay::default() };
    for _ in 0..2 {
        // The same change a second time is not taken for the first one.
        assert_eq!(replay(&data_dir, &database, &undo).await.columns, [("categories", 1)].into());
        assert_eq!(stored(&database).await[0]["categories"], json!(["Drinks"]));
        assert_eq!(replay(&data_dir, &database, &Replay::default()).await.changed, 1);
        assert_eq!(stored(&database).await, expected);
    }
}

#[tokio::test]
async fn only_the_range_and_the_site_that_are_asked_for() {
    let late = with(page_view(5), &json!({"at": NOW - 60_000, "url": "https://shop.example/tea/"}));
    let early =
        with(page_view(6), &json!({"at": NOW - 120_000, "url": "https://shop.example/tea/"}));
    let (data_dir, database) = archived(&[late, early]).await;
    settle(&database, categories(&[])).await;
    let asked = |from, to, site: &str| Replay {
        from: Some(NOW + from),
        to: Some(NOW + to),
        site: Some(site.parse().unwrap()),
        ..Replay::default()
    };
    assert_eq!(replay(&data_dir, &database, &asked(-120_000, -60_000, "other")).await.events, 0);
    let told = replay(&data_dir, &database, &asked(-120_000, -60_000, "shop")).await;
    assert_eq!((told.events, told.changed), (1, 1));
    let stored = stored(&database).await;
    assert_eq!(
        (&stored[0]["categories"], &stored[1]["categories"]),
        (&json!(["Drinks"]), &json!([]))
    );
}

#[tokio::test]
async fn what_a_table_has_lost_is_put_back_but_not_the_suppressed() {
    let other = "018f4d5e-0000-7000-8000-00000000000b";
    let identify = |number, visitor, email| {
        let fields = json!({
            "type": "identify", "user": "u", "visitor": visitor,
            "properties": {"email": email}, "consent": {"ads": "granted"},
        });
        with(page_view(number), &fields)
    };
    let visitor = crate::stack::VISITOR;
    let events = [
        page_view(1),
        identify(2, visitor, "ana@shop.example"),
        identify(3, other, "ivo@shop.example"),
        with(page_view(4), &json!({"visitor": other})),
    ];
    let (data_dir, database) = archived(&events).await;
    let kept: Vec<Value> = rows(&database, "SELECT * FROM events WHERE visitor_id = '018f4d5e-0000-7000-8000-00000000000a' ORDER BY event_id").await;
    let identifiers: Vec<Value> =
        rows(&database, "SELECT * FROM identifiers WHERE visitor_id = '018f4d5e-0000-7000-8000-00000000000a' ORDER BY kind").await;
    assert!(!identifiers.is_empty());
    run(&database, "INSERT INTO suppressions SELECT site, kind, value, 'asked', now64(3) FROM identifiers WHERE visitor_id = '018f4d5e-0000-7000-8000-00000000000b'").await;

    let missing = Replay { missing: true, ..Replay::default() };
    for round in 0..2 {
        // Lost in two ways: ClickHouse forgets the tokens of the first, but not of the second.
        if round == 0 {
            run(&database, "TRUNCATE TABLE events").await;
            run(&database, "TRUNCATE TABLE identifiers").await;
        } else {
            run(&database, "DELETE FROM events WHERE true").await;
            run(&database, "DELETE FROM identifiers WHERE true").await;
        }
        let told = replay(&data_dir, &database, &Replay::default()).await;
        assert_eq!((told.missing, told.restored), (4, 0), "only on wish");
        assert_eq!(count(&database, "events").await, 0);
        let told = replay(&data_dir, &database, &missing).await;
        assert_eq!((told.missing, told.restored, told.suppressed), (4, 2, 2));
        assert_eq!(told.identifiers_restored, identifiers.len() as u64);
        let now: Vec<Value> = rows(&database, "SELECT * FROM events ORDER BY event_id").await;
        assert_eq!(now, kept, "round {round}");
        let now: Vec<Value> = rows(&database, "SELECT * FROM identifiers ORDER BY kind").await;
        assert_eq!(now, identifiers, "round {round}");
        let again = replay(&data_dir, &database, &missing).await;
        assert_eq!((again.restored, again.identifiers_restored, again.changed), (0, 0, 0));
        assert_eq!(count(&database, "events").await, 2);
    }
}

#[tokio::test]
async fn what_todays_exclusions_leave_out_is_counted_and_taken_out_on_wish() {
    let (data_dir, database) = archived(&visits()).await;
    let exclude = ["path=/tea", "referrer=blog.example"].map(|rule| rule.parse().unwrap());
    let settings = SiteSettings { exclude: exclude.into(), ..categories(&["/tea/*=Drinks"]) };
    settle(&database, settings).await;
    let told = replay(&data_dir, &database, &Replay::default()).await;
    let excluded = [("excluded_path", 2), ("excluded_referrer", 1)].into();
    assert_eq!((&told.excluded, told.removed, told.changed), (&excluded, 0, 0));
    assert_eq!(count(&database, "events").await, 4);
    let remove = Replay { remove_excluded: true, missing: true, ..Replay::default() };
    assert_eq!(replay(&data_dir, &database, &remove).await.removed, 3);
    assert_eq!(count(&database, "events").await, 1);
    let again = replay(&data_dir, &database, &remove).await;
    assert_eq!((again.removed, again.restored), (0, 0));
    // No longer excluded, they can be put back.
    settle(&database, categories(&["/tea/*=Drinks"])).await;
    let back = Replay { missing: true, ..Replay::default() };
    assert_eq!(replay(&data_dir, &database, &back).await.restored, 3);
    assert_eq!(count(&database, "events FINAL").await, 4);
}

#[tokio::test]
async fn an_event_whose_page_is_another_in_the_table_is_left_as_it_is() {
    let (data_dir, database) = archived(&visits()).await;
    run(&database, "ALTER TABLE events UPDATE path = '/erased' WHERE title = 'Green' SETTINGS mutations_sync = 1").await;
    settle(&database, categories(&["/tea/*=Tea"])).await;
    let told = replay(&data_dir, &database, &Replay::default()).await;
    assert_eq!((told.of_another_version, told.unchanged, told.changed), (1, 3, 0));
    assert_eq!(stored(&database).await[0]["categories"], json!(["Drinks"]));
}

#[tokio::test]
async fn a_row_that_became_a_dead_letter_is_not_put_in_by_a_replay() {
    let Stack { collector, data_dir, database } = Stack::up(&ARCHIVING).await;
    run(&database, "ALTER TABLE events ADD CONSTRAINT no_bad CHECK title != 'bad'").await;
    let bad = with(page_view(2), &json!({"title": "bad"}));
    collector.post(&batch(&[page_view(1), bad, page_view(3)])).await;
    collector.stop().await;
    assert_eq!(count(&database, "events").await, 2);
    let missing = Replay { missing: true, ..Replay::default() };
    let told = replay(&data_dir, &database, &missing).await;
    assert_eq!((told.events, told.unchanged, told.restored), (2, 2, 0));
}

#[tokio::test]
async fn nothing_is_archived_unless_it_is_asked_for() {
    let Stack { collector, data_dir, database } = Stack::up(&[]).await;
    collector.post(&batch(&[page_view(1)])).await;
    collector.stop().await;
    assert_eq!(count(&database, "events").await, 1);
    assert!(!data_dir.path().join("archive").exists());
}

#[tokio::test]
async fn who_is_suppressed_by_a_user_id_stays_out_also_where_another_collector_has_the_identify() {
    let other = "018f4d5e-0000-7000-8000-00000000000b";
    // The identify that told the id is in another collector's archive.
    let events = [
        page_view(1),
        with(page_view(2), &json!({"visitor": other, "user": "u1"})),
        with(page_view(3), &json!({"visitor": other})),
    ];
    let (data_dir, database) = archived(&events).await;
    run(&database, "INSERT INTO suppressions SELECT 'shop', 'user', lower(hex(SHA256('u1'))), 'asked', now64(3)").await;
    run(&database, "DELETE FROM events WHERE true").await;
    let missing = Replay { missing: true, ..Replay::default() };
    let told = replay(&data_dir, &database, &missing).await;
    assert_eq!((told.missing, told.restored, told.suppressed), (3, 1, 2));
    assert_eq!(count(&database, &format!("events WHERE visitor_id = '{other}'")).await, 0);
}
