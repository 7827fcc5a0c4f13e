//! A file's events in a real ClickHouse.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use collector::import::{BadReason, ImportError, Imported, Map, import_events};
use serde::Deserialize;
use store::site::{Site, SiteSettings};
use store::testing::TestDatabase;
use wire::SiteName;

/// The map of the files below.
const MAP: &str = "format='csv'\n[columns]\ntime='at'\nvisitor='who'\nname='what'\n";

fn site() -> SiteName {
    "shop".parse().unwrap()
}

/// A database with the site.
async fn database() -> TestDatabase {
    let database = TestDatabase::create().await;
    let site = Site { name: site(), settings: SiteSettings::default() };
    store::site::add(database.server(), &site, 0).await.unwrap();
    database
}

#[tokio::test]
async fn an_address_of_a_file_is_not_stored_and_is_told() {
    let database = database().await;
    let map =
        format!("{}title='title'\n", MAP.replace("[columns]", "properties=['note']\n[columns]"));
    let map: Map = map.parse().unwrap();
    let file = "at,who,what,title,note\n\
        2026-01-01 00:00:00,ada,view,Of ana@shop.example,card 4111 1111 1111 1111\n\
        2026-01-01 00:00:01,ada,view,Nothing,of a@b.hr and c@d.hr\n";
    let imported = import_events(file.as_bytes(), &map, &site(), database.server(), |_| ()).await;
    let told = imported.unwrap().to_string();
    assert!(told.contains("3 e-mail addresses and 1 card numbers replaced"), "{told}");
    let question = "SELECT title, properties['note'] FROM events FINAL ORDER BY occurred_at";
    let rows = database.server().client().query(question);
    let rows: Vec<(String, String)> = rows.fetch_all().await.unwrap();
    let expected = [("Of [email]", "card [card]"), ("Nothing", "of [email] and [email]")];
    assert_eq!(rows, expected.map(|(title, note)| (title.to_owned(), note.to_owned())));
}

async fn import(database: &TestDatabase, file: &str) -> Result<Imported, ImportError> {
    let map: Map = MAP.parse().unwrap();
    import_events(file.as_bytes(), &map, &site(), database.server(), |_| ()).await
}

/// How many events of each name are stored.
async fn counts(database: &TestDatabase) -> BTreeMap<String, u64> {
    let question = "SELECT name, count() FROM events FINAL WHERE site = ? GROUP BY name";
    let counts = database.server().client().query(question).bind("shop");
    counts.fetch_all::<(String, u64)>().await.unwrap().into_iter().collect()
}

/// The folder of real data, or `None`, said by name: it is not part of the product.
fn reference_data(test: &str) -> Option<PathBuf> {
    let named = std::env::var_os("FOOTFALL_REFERENCE_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = named.clone().unwrap_or(beside);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(named.is_none(), "FOOTFALL_REFERENCE_DATA is no folder: {}", folder.display());
    #[expect(clippy::print_stderr, reason = "a test that was not run says so")]
    {
        eprintln!("{test}: not run, the folder of real data is absent (FOOTFALL_REFERENCE_DATA)");
    }
    None
}

#[derive(Deserialize)]
struct Reference {
    events: u64,
    users: u64,
    sessions: u64,
    event_counts: BTreeMap<String, u64>,
}

#[tokio::test]
async fn the_clickstream_is_stored_whole_and_twice_is_once() {
    let test = "import::the_clickstream_is_stored_whole_and_twice_is_once";
    let Some(folder) = reference_data(test) else { return };
    let folder = folder.join("clickstream");
    let reference = std::fs::read(folder.join("reference.json")).unwrap();
    let reference: Reference = serde_json::from_slice(&reference).unwrap();
    let map = include_str!("../../../examples/import/clickstream.toml").parse().unwrap();
    let database = database().await;
    for _ in 0..2 {
        let file = BufReader::new(File::open(folder.join("events.csv.gz")).unwrap());
        let mut told = Vec::new();
        let progress = |rows| told.push(rows);
        let imported = import_events(file, &map, &site(), database.server(), progress).await;
        let imported = imported.unwrap();
        assert_eq!((imported.rows, imported.events), (reference.events, reference.events));
        assert_eq!(imported.bad, []);
        assert!(told.is_sorted() && told.last() == Some(&reference.events), "{told:?}");
        assert_eq!(counts(&database).await, reference.event_counts);
    }
    let question = "SELECT uniqExact(visitor_id), uniqExact(user_id), uniqExact(session_id), \
        countIf(length(properties) = 2), countIf(consent_ads != 'unknown') FROM events FINAL";
    let answer = database.server().client().query(question);
    let answer = answer.fetch_one::<(u64, u64, u64, u64, u64)>().await.unwrap();
    let Reference { events, users, sessions, .. } = reference;
    assert_eq!(answer, (users, users, sessions, events, 0));
}

#[tokio::test]
async fn rows_alike_are_as_many_events_and_stay_so() {
    let database = database().await;
    let row = "2025-01-01 10:00:00,ada,view\n";
    let file = format!("at,who,what\n{row}{row}2025-01-01 10:00:00,bob,view\n{row}");
    for _ in 0..2 {
        let imported = import(&database, &file).await.unwrap();
        assert_eq!((imported.rows, imported.events), (4, 4));
        assert_eq!(counts(&database).await, BTreeMap::from([("view".to_owned(), 4)]));
    }
}

#[tokio::test]
async fn events_of_more_months_than_one_insert_takes_are_stored() {
    let database = database().await;
    let mut file = "at,who,what\n".to_owned();
    for month in 0..240 {
        writeln!(file, "{}-{:02}-15,ada,view", 2000 + month / 12, month % 12 + 1).unwrap();
    }
    let imported = import(&database, &file).await.unwrap();
    assert_eq!(imported.events, 240);
    assert_eq!(counts(&database).await, BTreeMap::from([("view".to_owned(), 240)]));
}

#[tokio::test]
async fn bad_rows_are_told_and_the_others_stored() {
    let database = database().await;
    let file = "at,who,what\n2025-01-01 10:00:00,ada,view\nsoon,ada,view\n\
        2025-01-01 10:00:00,,view\n2025-01-01 10:00:00,ada\n2025-01-01 10:00:01,ada,view\n";
    let imported = import(&database, file).await.unwrap();
    assert_eq!((imported.rows, imported.events), (5, 2));
    let told = imported.bad.iter().map(|bad| (bad.line, bad.column.as_str(), bad.reason));
    let expected = [
        (3, "at", BadReason::TimeUnreadable),
        (4, "who", BadReason::VisitorMissing),
        (5, "", BadReason::RowMalformed),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    assert_eq!(counts(&database).await, BTreeMap::from([("view".to_owned(), 2)]));
}

#[tokio::test]
async fn a_file_of_bad_rows_is_an_error_that_tells_them() {
    let database = database().await;
    let error = import(&database, "at,who,what\nsoon,ada,view\n").await.unwrap_err();
    assert!(matches!(error, ImportError::EveryRowBad(_)), "{error}");
    assert!(error.to_string().contains("line 2, at: \"soon\""), "{error}");
    assert_eq!(counts(&database).await, BTreeMap::new());
}

#[tokio::test]
async fn events_of_a_site_that_was_never_made_are_refused() {
    let database = TestDatabase::create().await;
    let error = import(&database, "at,who,what\n2025-01-01,ada,view\n").await.unwrap_err();
    assert!(error.to_string().contains("footfall site add shop"), "{error}");
}

#[tokio::test]
async fn events_that_were_deleted_come_back_with_their_file() {
    let database = database().await;
    let file = "at,who,what\n2025-01-01 10:00:00,ada,view\n2025-01-01 10:00:00,bob,view\n";
    import(&database, file).await.unwrap();
    let delete = "DELETE FROM events WHERE site = 'shop'";
    database.server().client().query(delete).execute().await.unwrap();
    assert_eq!(counts(&database).await, BTreeMap::new());
    import(&database, file).await.unwrap();
    assert_eq!(counts(&database).await, BTreeMap::from([("view".to_owned(), 2)]));
}

#[tokio::test]
async fn a_suppressed_user_is_left_out_and_told() {
    let database = database().await;
    let suppress = "INSERT INTO suppressions SELECT 'shop', 'user', lower(hex(SHA256('u1'))), 'asked', now64(3)";
    database.server().client().query(suppress).execute().await.unwrap();
    let map: Map = format!("{MAP}user='person'\n").parse().unwrap();
    let file = "at,who,what,person\n2025-01-01 10:00:00,ada,view,u1\n\
        2025-01-01 10:00:00,bob,view,u2\n2025-01-01 10:00:01,ada,view,\n";
    let imported = import_events(file.as_bytes(), &map, &site(), database.server(), |_| ()).await;
    let imported = imported.unwrap();
    assert_eq!((imported.rows, imported.events), (3, 2));
    let told = imported.to_string();
    assert!(told.contains("1 rows left out: person_suppressed 1\n"), "{told}");
    assert!(told.contains("line 2, person: "), "{told}");
    assert_eq!(counts(&database).await, BTreeMap::from([("view".to_owned(), 2)]));
}
