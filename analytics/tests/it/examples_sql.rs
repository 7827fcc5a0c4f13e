//! The queries of `examples/sql` run, have the columns they say, and tell of real data what others tell.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use store::EventRow;
use store::testing::{TestDatabase, visitor};
use uuid::Uuid;

use crate::clickstream::{reference, reference_data, rows};
use crate::database;

/// A query's answer, as ClickHouse writes it in JSON.
#[derive(Deserialize)]
struct Answer {
    meta: Vec<Column>,
    data: Vec<BTreeMap<String, Value>>,
}

#[derive(Deserialize)]
struct Column {
    name: String,
}

/// Each file's name and text, in order.
fn queries() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/sql");
    let mut queries = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            queries.push((name, std::fs::read_to_string(path).unwrap()));
        }
    }
    queries.sort();
    queries
}

async fn ask(database: &TestDatabase, site: &str, query: &str) -> Answer {
    let client = database.server().client();
    let query = client.query_raw(query).param("site", site);
    let query = query.with_setting("output_format_json_quote_64bit_integers", "0");
    let answer = query.fetch_bytes("JSON").unwrap().collect().await.unwrap();
    serde_json::from_slice(&answer).unwrap()
}

async fn ask_named(
    database: &TestDatabase,
    site: &str,
    begins: &str,
) -> Vec<BTreeMap<String, Value>> {
    let (_, query) = queries().into_iter().find(|(name, _)| name.starts_with(begins)).unwrap();
    ask(database, site, &query).await.data
}

#[tokio::test]
async fn each_says_what_it_answers_and_has_the_columns_it_says() {
    let ada = visitor("ada").country("HR").device("mobile").views("/").category("Shoes");
    let ada = ada.does("product_view").does("add_to_cart").does("purchase");
    let ada = ada.does("web_vitals").property("load", "7").property("lcp", "1800");
    let ada = ada.does("form_start").property("form_id", "letter");
    let elsewhere = visitor("ben").site("other").country("AT").views("/elsewhere").category("Hats");
    let database = database([ada, elsewhere]).await;
    let queries = queries();
    assert_eq!(queries.len(), 12);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/SQL.md");
    let page = std::fs::read_to_string(page).unwrap();
    for (name, text) in queries {
        let question = text.lines().next().unwrap().trim_start_matches("-- ");
        let listed = format!("| [{name}](../examples/sql/{name}) | {question} |");
        assert!(page.contains(&listed), "docs/SQL.md does not list {name}");
        let mut lines = text.lines();
        assert!(
            lines.next().is_some_and(|line| line.starts_with("-- ") && line.ends_with('?')),
            "{name}"
        );
        assert!(lines.next().is_some_and(|line| line.starts_with("-- Read it: ")), "{name}");
        let said = text.lines().find_map(|line| line.strip_prefix("-- Columns: ")).unwrap();
        let answer = ask(&database, "shop", &text).await;
        let columns: Vec<&str> = answer.meta.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(columns.join(", "), said, "{name}");
        assert!(!answer.data.is_empty(), "{name}");
        let shown = serde_json::to_string(&answer.data).unwrap();
        assert!(
            !shown.contains("elsewhere") && !shown.contains("Hats") && !shown.contains("AT"),
            "{name}"
        );
    }
}

/// The clickstream has no page views: each event is given one too, of a page named after it.
fn with_pages(events: Vec<EventRow>) -> Vec<EventRow> {
    let page = |event: &EventRow| EventRow {
        event_id: Uuid::from_u128(event.event_id.as_u128() | 1 << 64),
        kind: "page_view".to_owned(),
        name: "page_view".to_owned(),
        path: format!("/{}", event.name),
        title: event.name.clone(),
        categories: vec![event.name.clone()],
        ..event.clone()
    };
    let pages: Vec<EventRow> = events.iter().map(page).collect();
    events.into_iter().chain(pages).collect()
}

fn sum(rows: &[BTreeMap<String, Value>], column: &str) -> u64 {
    rows.iter().map(|row| row[column].as_u64().unwrap()).sum()
}

#[tokio::test]
async fn they_tell_of_a_real_shop_what_others_tell() {
    let Some(folder) = reference_data("examples_sql::they_tell_of_a_real_shop_what_others_tell")
    else {
        return;
    };
    let truth = reference(&folder);
    let of_site = |key: &str| truth[key].as_u64().unwrap();
    let database = database([with_pages(rows(&folder))]).await;
    let ask = |begins: &'static str| ask_named(&database, "clickstream", begins);

    assert_eq!(sum(&ask("01").await, "page_views"), of_site("events"));
    let events: BTreeMap<String, u64> =
        serde_json::from_value(truth["event_counts"].clone()).unwrap();
    let pages = ask("02").await;
    assert_eq!(pages.len(), events.len());
    for page in pages {
        let event = page["title"].as_str().unwrap();
        assert_eq!(page["page_views"].as_u64(), Some(events[event]), "{event}");
    }
    for query in ["03", "04"] {
        assert_eq!(
            sum(&ask_named(&database, "clickstream", query).await, "sessions"),
            of_site("sessions")
        );
    }
    let devices = ask("05").await;
    assert_eq!(devices.len(), 3);
    assert!(sum(&devices, "visitors") >= of_site("users"));
    let funnel = ask("06").await;
    assert_eq!(funnel[0]["visitors"].as_u64(), truth["user_id|window=86400"]["pandas"][0].as_u64());
    assert!(sum(&funnel[1..2], "visitors") > sum(&funnel[2..], "visitors") && funnel.len() == 3);
    assert_eq!(sum(&ask("07").await, "new_visitors"), of_site("users"));
    let interests = ask("09").await;
    assert_eq!(sum(&interests, "page_views"), of_site("events"));
    let next = ask("10").await;
    assert_eq!(next.len(), 100);
    assert!(
        next.iter()
            .all(|row| row["share"].as_f64().is_some_and(|share| share > 0.0 && share <= 1.0))
    );

    let cohorts: BTreeMap<String, BTreeMap<String, u64>> =
        serde_json::from_value(truth["retention_month_cohort_by_week"].clone()).unwrap();
    let retention: BTreeMap<(String, String), u64> = ask("08")
        .await
        .into_iter()
        .map(|row| {
            let cohort = row["cohort"].as_str().unwrap().strip_suffix("-01").unwrap().to_owned();
            ((cohort, row["week"].to_string()), row["visitors"].as_u64().unwrap())
        })
        .collect();
    for (cohort, weeks) in cohorts {
        for (week, visitors) in weeks {
            assert_eq!(
                retention.get(&(cohort.clone(), week.clone())),
                Some(&visitors),
                "{cohort} week {week}"
            );
        }
    }
}

#[tokio::test]
async fn a_page_load_counts_once_by_its_last_word_and_google_rates_three_of_four() {
    let load = |name: &str, number: &str, lcp: &str| {
        let load =
            visitor(name).does("web_vitals").property("load", number).property("path", "/shoes");
        load.property("lcp", lcp).property("cls", "0.1001")
    };
    let again = |name, number, lcp| {
        load(name, number, "9999")
            .does("web_vitals")
            .property("load", number)
            .property("path", "/shoes")
            .property("lcp", lcp)
            .property("cls", "0.2501")
    };
    let loads = [
        load("a", "1", "1000"),
        load("b", "1", "2500"),
        again("c", "1", "2500"),
        load("d", "1", "4001"),
    ];
    let database = database(loads).await;
    let vitals = ask_named(&database, "shop", "11").await;
    let shown = |at: usize| {
        let row = &vitals[at];
        (row["metric"].as_str(), row["loads"].as_u64(), row["p75"].as_f64(), row["rating"].as_str())
    };
    assert_eq!(shown(0), (Some("cls"), Some(4), Some(0.1001), Some("needs improvement")));
    assert_eq!(shown(1), (Some("lcp"), Some(4), Some(2500.0), Some("good")));
    assert_eq!(vitals.len(), 2);
}

#[tokio::test]
async fn a_form_that_was_given_up_first_and_sent_then_is_sent() {
    let form = |name: &str| visitor(name).does("form_start").property("form_id", "order");
    let given_up = |name: &str| {
        form(name)
            .does("form_abandoned")
            .property("form_id", "order")
            .property("last_field", "card")
    };
    let sent = given_up("c").does("form_submit").property("form_id", "order");
    let database = database([given_up("a"), given_up("b"), sent]).await;
    let forms = ask_named(&database, "shop", "12").await;
    assert_eq!(forms.len(), 1);
    let row = &forms[0];
    let counts = (row["visits"].as_u64(), row["sent"].as_u64(), row["sent_share"].as_f64());
    assert_eq!(counts, (Some(3), Some(1), Some(0.3333)));
    assert_eq!((&row["form"], &row["gives_up_at"]), (&"order".into(), &"card".into()));
}
