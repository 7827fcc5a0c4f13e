//! What is counted is what happened; and the operator's table, the dashboard and the alerts name
//! what is exported.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::http::{exchange, send};
use crate::stack::{Stack, alone, batch, count, eventually, page_view, value, with};

const OPERATING: &str = include_str!("../../../docs/OPERATING.md");
const DASHBOARD: &str = include_str!("../../../examples/deploy/grafana/footfall.json");
const ALERTS: &str = include_str!("../../../examples/deploy/prometheus/alerts.yml");

/// Names with their labels, as the text describes and shows them.
fn exported(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    for line in text.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|d| d.split_once(' ')) {
            let suffix = match kind {
                "counter" => "_total",
                "info" => "_info",
                _ => "",
            };
            found.insert(format!("{name}{suffix}"), BTreeSet::new());
        }
    }
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((name, rest)) = line.split_once('{') else { continue };
        let name = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|part| name.strip_suffix(part).filter(|name| found.contains_key(*name)))
            .unwrap_or(name);
        let (labels, _) = rest.split_once('}').unwrap();
        let labels = labels.split(',').map(|label| label.split('=').next().unwrap().to_owned());
        found.get_mut(name).unwrap().extend(labels.filter(|label| label != "le"));
    }
    found
}

/// The same, from the table in docs/OPERATING.md.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let (_, section) = OPERATING.split_once("\n## Metrics\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let words = |cell: &str| -> BTreeSet<String> {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<_> = row.split('|').collect();
        (words(cells[1]).pop_first().unwrap(), words(cells[2]))
    })
    .collect()
}

async fn text() -> String {
    let (collector, _folder) = alone(&[]).await;
    collector.get("/metrics").await.text().to_owned()
}

#[tokio::test]
async fn the_operator_s_table_of_metrics_is_whole_and_true() {
    assert_eq!(documented(), exported(&text().await));
}

/// Words of a text that can only be names of our metrics.
fn named(text: &str) -> BTreeSet<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text
        .split(|c| !plain(c))
        .filter(|word| ["collector_", "process_"].iter().any(|prefix| word.starts_with(prefix)));
    words.map(str::to_owned).collect()
}

/// Every `expr` of a dashboard, however deep.
fn queries(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(query)) = fields.get("expr") {
                found.push(query.clone());
            }
            fields.values().for_each(|value| queries(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| queries(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_dashboard_and_the_alerts_ask_for_what_is_exported() {
    let text = text().await;
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let samples: BTreeSet<_> =
        samples.map(|line| line.split(['{', ' ']).next().unwrap().to_owned()).collect();
    let mut asked = Vec::new();
    queries(&serde_json::from_str(DASHBOARD).unwrap(), &mut asked);
    assert!(asked.len() > 15, "only {} queries were found", asked.len());
    for query in &asked {
        let names = named(query);
        assert!(!names.is_empty(), "{query} asks for nothing of ours");
        let unknown: Vec<_> = names.difference(&samples).collect();
        assert!(unknown.is_empty(), "{query} asks for {unknown:?}");
    }
    let rules = ALERTS.lines().filter(|line| line.trim_start().starts_with("- alert:")).count();
    assert!(rules > 5, "only {rules} alerts were found");
    let unknown: Vec<_> = named(ALERTS).difference(&samples).cloned().collect();
    assert!(unknown.is_empty(), "the alerts ask for {unknown:?}");
}

#[tokio::test]
async fn every_stage_counts_what_it_did() {
    let stack = Stack::up(&[]).await;
    let bad = with(page_view(3), &json!({"visitor": null}));
    let body = batch(&[page_view(1), page_view(2), bad]);
    assert_eq!(stack.collector.post(&body).await.status, 202);
    let crawler = [("user-agent", "Googlebot/2.1 (+http://www.google.com/bot.html)")];
    assert_eq!(stack.collector.post_as(&crawler, &batch(&[page_view(4)])).await.status, 202);
    assert_eq!(stack.collector.post(&json!([])).await.status, 400);
    eventually("all is in ClickHouse", || async {
        count(&stack.database, "events").await + count(&stack.database, "bot_events").await == 3
            && stack.collector.get("/metrics").await.text().contains("lag_seconds 0.0\n")
    })
    .await;
    let metrics = stack.collector.get("/metrics").await;
    let sent = body.to_string().len()
        + batch(&[page_view(4)]).to_string().len()
        + json!([]).to_string().len();
    for line in [
        "collector_requests_total{way=\"events\",status=\"202\"} 2\n",
        "collector_requests_total{way=\"events\",status=\"400\"} 1\n",
        "collector_request_seconds_count{way=\"events\"} 3\n",
        "collector_requests_rejected_total{reason=\"body_not_batch\"} 1\n",
        "collector_events_accepted_total{table=\"events\"} 2\n",
        "collector_events_accepted_total{table=\"bot_events\"} 1\n",
        "collector_events_dropped_total{reason=\"visitor_missing\"} 1\n",
        "collector_bot_visits_total{reason=\"user_agent\"} 1\n",
        "collector_places_total{found=\"no\"} 2\n",
        "collector_spool_append_seconds_count 2\n",
        "collector_spool_sync_seconds_count 0\n",
        "collector_insert_rows_sum 3.0\n",
        "collector_rows_inserted_total{table=\"bot_events\"} 1\n",
        "collector_last_insert_timestamp_seconds 1800000000\n",
        "collector_clickhouse_answers 1\n",
        "collector_sites 1\n",
        &format!("collector_body_bytes_total{{way=\"events\"}} {sent}\n"),
    ] {
        assert!(metrics.text().contains(line), "{line} is not in\n{}", metrics.text());
    }
}

#[tokio::test]
async fn an_outage_shows_as_lag_and_as_failures_by_reason() {
    let (collector, _folder) = alone(&["--durability", "disk"]).await;
    let before = collector.get("/metrics").await;
    assert_eq!(value(before.text(), "collector_lag_seconds").to_bits(), 0.0_f64.to_bits());
    assert_eq!(collector.post(&batch(&[page_view(1)])).await.status, 202);
    eventually("an insert has failed, and the event waits", || async {
        let metrics = collector.get("/metrics").await;
        let text = metrics.text();
        value(text, "collector_insert_failures_total{reason=\"network\"}") >= 1.0
            && value(text, "collector_lag_seconds") > 0.0
            && value(text, "collector_spool_blocks") >= 1.0
    })
    .await;
    let metrics = collector.get("/metrics").await;
    let text = metrics.text();
    assert!(value(text, "collector_spool_sync_seconds_count") >= 1.0, "{text}");
    assert!(value(text, "collector_spool_bytes") > 0.0, "{text}");
    assert!(value(text, "process_start_time_seconds") > 1.7e9, "{text}");
    if cfg!(target_os = "linux") {
        assert!(value(text, "process_resident_memory_bytes") > 1e6, "{text}");
        assert!(value(text, "process_open_fds") >= 3.0, "{text}");
    }
}

#[tokio::test]
async fn properties_that_an_event_has_no_room_for_are_counted() {
    let (collector, _folder) = alone(&[]).await;
    let many: serde_json::Map<_, _> = (0..70).map(|n| (format!("p{n:02}"), json!(n))).collect();
    let deep = json!({"a": {"b": {"c": {"d": {"e": 1}, "f": {"g": 2}, "h": 3}}}, "i": null});
    let events = [
        with(page_view(1), &json!({"properties": many})),
        with(page_view(2), &json!({"properties": deep})),
        // What is left out whole has no properties that are.
        with(page_view(3), &json!({"url": "ftp://a.example", "properties": many})),
    ];
    assert_eq!(collector.post(&batch(&events)).await.json()["accepted"], 2);
    let text = collector.get("/metrics").await.text().to_owned();
    for (reason, count) in [("too_many", 6), ("too_deep", 2)] {
        let line = format!("collector_properties_left_out_total{{reason=\"{reason}\"}} {count}\n");
        assert!(text.contains(&line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn who_is_not_of_the_operators_networks_is_told_no_numbers() {
    let asked = |flags: &'static [&str], from: &'static str| async move {
        let (collector, _folder) = alone(flags).await;
        let headers = [("x-forwarded-for", from)];
        let answer = send(collector.address, "GET", "/metrics", &headers, b"").await;
        match answer.status {
            200 => None,
            status => Some((status, answer.json()["error"]["tag"].clone())),
        }
    };
    let refused = Some((403, json!("metrics_not_allowed")));
    let proxied = &["--trusted-proxy", "127.0.0.1"];
    assert_eq!(asked(&[], "203.0.113.5").await, None, "nobody's word is taken");
    assert_eq!(asked(proxied, "203.0.113.5").await, refused);
    assert_eq!(asked(proxied, "10.1.2.3").await, None);
    let named = &["--trusted-proxy", "127.0.0.1", "--metrics-from", "203.0.113.0/24"];
    assert_eq!(asked(named, "203.0.113.5").await, None);
    assert_eq!(asked(named, "10.1.2.3").await, refused);
}

#[tokio::test]
async fn what_is_no_request_is_answered_without_a_body_and_counted() {
    let (collector, _folder) = alone(&[]).await;
    for (sent, status) in [
        ("no HTTP at all\r\n\r\n".to_owned(), "HTTP/1.1 400 "),
        ("GET / HTTP/1.1\r\nno header\r\n\r\n".to_owned(), "HTTP/1.1 400 "),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), ""),
        (format!("GET /healthz HTTP/1.1\r\nX-Long: {}", "y".repeat(40_000)), "HTTP/1.1 431 "),
    ] {
        let answer = exchange(collector.address, sent.as_bytes()).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with(status), "{answer}");
        assert!(answer.is_empty() == status.is_empty(), "{answer}");
        assert!(answer.is_empty() || answer.ends_with("\r\n\r\n"), "no body: {answer}");
    }
    let long = "y".repeat(40_000);
    let answer = send(collector.address, "GET", "/healthz", &[("X-Long", &long)], b"").await;
    assert_eq!(answer.status, 431);
    // Each is counted when its connection is done, and the client may know of its end before.
    let malformed = "collector_heads_refused_total{reason=\"malformed\"}";
    let too_large = "collector_heads_refused_total{reason=\"too_large\"}";
    collector.comes_to(malformed, |count| count >= 3.0).await;
    collector.comes_to(too_large, |count| count >= 2.0).await;
    let text = collector.get("/metrics").await.text().to_owned();
    assert_eq!((value(&text, malformed), value(&text, too_large)), (3.0, 2.0));
}
