//! A real shop's events, loaded from a file, against funnels that pandas, DuckDB and ClickHouse agree on.

use std::path::{Path, PathBuf};

use footfall_tests::Stack;
use serde_json::Value;

/// The folder with real data, or `None` with a line that says which test was not run.
fn reference_data(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("FOOTFALL_REFERENCE_DATA")
        .map_or_else(|| root().join("../shared/data"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("not run: {test}: there is no {} (FOOTFALL_REFERENCE_DATA)", folder.display());
    None
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn counts(report: &Value) -> Vec<u64> {
    let steps = report["steps"].as_array().unwrap();
    steps.iter().map(|step| step["count"].as_u64().unwrap()).collect()
}

#[test]
fn funnels_of_a_real_shop_equal_the_reference_from_the_command_line_and_the_api() {
    let Some(data) = reference_data("clickstream") else { return };
    let reference = std::fs::read_to_string(data.join("clickstream/reference.json")).unwrap();
    let reference: Value = serde_json::from_str(&reference).unwrap();
    let stack = Stack::up(&[]).unwrap();
    stack.site("clicks", "https://shop.example").unwrap();
    let file = data.join("clickstream/events.csv.gz");
    let map = root().join("examples/import/clickstream.toml");
    let import = ["import", "events", "--from", file.to_str().unwrap()];
    let import = [&import[..], &["--map", map.to_str().unwrap(), "--site", "clicks"]].concat();
    stack.footfall(&import).unwrap();
    // Again: the same rows are the same events.
    stack.footfall(&import).unwrap();

    let steps: Vec<&str> =
        reference["steps"].as_array().unwrap().iter().map(|step| step.as_str().unwrap()).collect();
    for (by, column) in [("visitor", "user_id"), ("session", "session_id")] {
        for (window, seconds) in [("none", "None"), ("30m", "1800"), ("1d", "86400")] {
            let truth = &reference[format!("{column}|window={seconds}")]["clickhouse_windowFunnel"];
            let truth: Vec<u64> = serde_json::from_value(truth.clone()).unwrap();
            assert_eq!(truth.len(), steps.len());

            let mut asked = vec!["funnel", "--site", "clicks", "--from", "all", "--by", by];
            asked.extend(["--window", window, "--format", "json"]);
            steps.iter().for_each(|step| asked.extend(["--step", step]));
            let printed: Value = serde_json::from_str(&stack.footfall(&asked).unwrap()).unwrap();
            assert_eq!(counts(&printed), truth, "command line, by {by}, window {window}");

            let query: String = steps.iter().map(|step| format!("&step={step}")).collect();
            let answered = stack
                .api(&format!("/funnel?site=clicks&from=all&by={by}&window={window}{query}"))
                .unwrap();
            assert_eq!(counts(&answered), truth, "api, by {by}, window {window}");
        }
    }
}
