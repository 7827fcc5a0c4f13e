//! Ten visitors walk the example shop in a real browser, and every number is what they did.

use std::future::pending;
use std::time::Duration;

use anyhow::ensure;
use example_shop::walk::{Plan, plan, walk};
use footfall_tests::{Stack, eventually};
use serde_json::Value;
use tokio::net::TcpListener;

const RULE: &str = "did add_to_cart and not did purchase";

#[tokio::test(flavor = "multi_thread")]
async fn the_numbers_are_what_the_visitors_did() {
    let stack = Stack::up(&["--trusted-proxy", "127.0.0.1/32"]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let shop = format!("http://{}", listener.local_addr().unwrap());
    let tag = stack.site("shop", &shop).unwrap();
    tokio::spawn(example_shop::serve(listener, tag, pending()));
    let plan = plan();
    walk(&shop, &plan).await.unwrap();

    funnel_equals(&stack, &plan);
    segment_equals(&stack, &plan);
    audience_equals(&stack, &plan);
    let pages = stack.api("/traffic/pages?site=shop").unwrap();
    assert!(pages["pages"].as_array().unwrap().iter().any(|page| page["path"] == "/"), "{pages}");
    let interests = stack.api("/interests?site=shop").unwrap();
    assert!(!interests["interests"].as_array().unwrap().is_empty(), "{interests}");
    stack.stop().unwrap();
}

fn funnel_equals(stack: &Stack, plan: &Plan) {
    let steps = plan.expected().steps;
    let truth: Vec<u64> = steps.iter().map(|step| step.count as u64).collect();
    let query: String = steps.iter().map(|step| format!("&step={}", step.name)).collect();
    // The last events are on disk; into ClickHouse they go a moment later.
    eventually(Duration::from_secs(60), || {
        let counted = counts(&stack.api(&format!("/funnel?site=shop&window=1d{query}"))?);
        ensure!(counted == truth, "{counted:?} were counted, {truth:?} were there");
        Ok(())
    })
    .unwrap();
    stack.drained().unwrap();
    let mut asked = vec!["funnel", "--site", "shop", "--window", "1d", "--format", "json"];
    steps.iter().for_each(|step| asked.extend(["--step", step.name]));
    let printed: Value = serde_json::from_str(&stack.footfall(&asked).unwrap()).unwrap();
    assert_eq!(counts(&printed), truth);
}

fn counts(report: &Value) -> Vec<u64> {
    let steps = report["steps"].as_array().unwrap();
    steps.iter().map(|step| step["count"].as_u64().unwrap()).collect()
}

fn segment_equals(stack: &Stack, plan: &Plan) {
    let done = |name| {
        let steps = plan.expected().steps;
        steps.iter().find(|step| step.name == name).unwrap().count as u64
    };
    let truth = done("add_to_cart") - done("purchase");
    let rule = RULE.replace(' ', "+");
    let answered = stack.api(&format!("/segment?site=shop&rule={rule}")).unwrap();
    assert_eq!(answered["visitors"].as_u64(), Some(truth), "{answered}");
    let asked = ["segment", "count", "--site", "shop", "--rule", RULE, "--format", "json"];
    let printed: Value = serde_json::from_str(&stack.footfall(&asked).unwrap()).unwrap();
    assert_eq!(printed["visitors"].as_u64(), Some(truth), "{printed}");
}

/// Only who agreed leaves, and the file from the command line is the file from the API.
fn audience_equals(stack: &Stack, plan: &Plan) {
    let export = ["audience", "export", "--site", "shop", "--destination", "google"];
    let rule = ["--rule", "did add_to_cart", "--size-min", "1"];
    let file = stack.footfall(&[&export[..], &rule[..]].concat()).unwrap();
    let mut lines = file.lines();
    assert_eq!(lines.next(), Some("Email,Phone,First Name,Last Name,Country,Zip"));
    let people: Vec<&str> = lines.collect();
    assert_eq!(people.len(), plan.consenting(), "{file}");
    let hashed = |person: &&str| {
        let email = person.split(',').next().unwrap();
        email.len() == 64 && email.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    assert!(people.iter().all(|person| hashed(person) && !person.contains('@')), "{file}");

    let url = format!("{}/api/v1/audience/google.csv", stack.dashboard);
    let mut answer = ureq::get(&url)
        .query("site", "shop")
        .query("rule", "did add_to_cart")
        .query("size_min", "1")
        .call()
        .unwrap();
    assert_eq!(answer.body_mut().read_to_string().unwrap(), file);
    // Below the floor nobody leaves.
    let refused = stack.footfall(&[&export[..], &["--rule", "did add_to_cart"]].concat());
    assert!(refused.unwrap_err().to_string().contains("fewer than the floor"));
}
