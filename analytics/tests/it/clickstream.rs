//! The funnels of a real shop, beside what pandas and DuckDB say of the same events.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use analytics::funnel::{By, Funnel};
use analytics::query::{Filter, Range};
use flate2::read::GzDecoder;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use store::EventRow;
use store::testing::{TestDatabase, session_id, visitor_id};
use uuid::Uuid;

use crate::{database, site};

/// The folder of real data, or `None`, said by name: it is not part of the product.
pub(crate) fn reference_data(test: &str) -> Option<PathBuf> {
    let named = std::env::var_os("FOOTFALL_REFERENCE_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = named.clone().unwrap_or(beside);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(named.is_none(), "FOOTFALL_REFERENCE_DATA is no folder: {}", folder.display());
    #[expect(clippy::print_stderr, reason = "a test that was not run says so")]
    {
        eprintln!(
            "{test}: not run, because the folder of real data is absent (FOOTFALL_REFERENCE_DATA)"
        );
    }
    None
}

#[derive(Deserialize)]
struct Line {
    user_id: String,
    session_id: String,
    event: String,
    timestamp: String,
    platform: String,
    acquisition_channel: String,
}

impl Line {
    /// Lines may be equal in all they say, so their number makes the id.
    fn row(self, number: usize) -> EventRow {
        let time: DateTime = self.timestamp.parse().unwrap();
        let millis = time.to_zoned(TimeZone::UTC).unwrap().timestamp().as_millisecond();
        EventRow {
            site: "clickstream".to_owned(),
            event_id: Uuid::from_u128(number as u128 + 1),
            kind: "custom".to_owned(),
            name: self.event,
            occurred_at: millis,
            received_at: millis,
            visitor_id: visitor_id(&self.user_id),
            session_id: session_id(&self.user_id, &self.session_id),
            user_id: self.user_id,
            device: self.platform,
            channel: self.acquisition_channel,
            ..EventRow::default()
        }
    }
}

/// The clickstream's events, on the site `clickstream`.
pub(crate) fn rows(folder: &Path) -> Vec<EventRow> {
    let file = std::fs::File::open(folder.join("clickstream/events.csv.gz")).unwrap();
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let mut lines = csv::Reader::from_reader(text.as_bytes());
    let lines = lines.deserialize::<Line>().enumerate();
    lines.map(|(number, line)| line.unwrap().row(number)).collect()
}

/// What others say of them.
pub(crate) fn reference(folder: &Path) -> BTreeMap<String, serde_json::Value> {
    let reference = std::fs::read(folder.join("clickstream/reference.json")).unwrap();
    serde_json::from_slice(&reference).unwrap()
}

#[derive(Deserialize)]
struct Truth {
    pandas: Vec<u64>,
    duckdb: Vec<u64>,
}

async fn counts(
    database: &TestDatabase,
    steps: &[String],
    by: By,
    window: &str,
    filter: &str,
) -> Vec<u64> {
    let funnel = Funnel {
        site: site("clickstream"),
        steps: steps.iter().map(|step| step.parse().unwrap()).collect(),
        window: window.parse().unwrap(),
        by,
        range: Range::ALL,
        filter: filter.parse::<Filter>().unwrap(),
    };
    let report = funnel.ask(database.server()).await.unwrap();
    report.steps.iter().map(|step| step.count).collect()
}

#[tokio::test]
async fn funnels_equal_the_truth() {
    let Some(folder) = reference_data("clickstream::funnels_equal_the_truth") else { return };
    let database = database([rows(&folder)]).await;
    let reference = std::fs::read(folder.join("clickstream/reference.json")).unwrap();
    let reference: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(&reference).unwrap();
    let read = |key: &str| reference[key].clone();
    let steps: Vec<String> = serde_json::from_value(read("steps")).unwrap();
    for (key, windows) in
        [("None", ["none"].as_slice()), ("1800", &["30m", "1800s"]), ("86400", &["1d"])]
    {
        for (whom, counted) in
            [("user_id", [By::User, By::Visitor].as_slice()), ("session_id", &[By::Session])]
        {
            let truth: Truth =
                serde_json::from_value(read(&format!("{whom}|window={key}"))).unwrap();
            assert_eq!(truth.pandas, truth.duckdb);
            for (by, window) in
                counted.iter().flat_map(|by| windows.iter().map(move |window| (by, window)))
            {
                let counts = counts(&database, &steps, *by, window, "").await;
                assert_eq!(counts, truth.pandas, "by {by}, window {window}");
            }
        }
    }
    for (key, field) in [("by_platform_sessions", "device"), ("by_channel_sessions", "channel")] {
        let truth: BTreeMap<String, Vec<u64>> = serde_json::from_value(read(key)).unwrap();
        assert!(truth.len() >= 3, "{key}");
        for (value, truth) in truth {
            let filter = format!("{field} = \"{value}\"");
            assert_eq!(
                counts(&database, &steps, By::Session, "none", &filter).await,
                truth,
                "{filter}"
            );
        }
    }
}
