//! What a test finds in ClickHouse.

use footfall_tests::Stack;
use serde_json::Value;

/// Rows as JSON objects.
pub(crate) fn rows(stack: &Stack, question: &str) -> Vec<Value> {
    let question = format!("{question} FORMAT JSONEachRow");
    let answer = ureq::post(&stack.clickhouse).send(&question).unwrap();
    let lines = answer.into_body().read_to_string().unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
