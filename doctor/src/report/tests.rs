//! Findings of visits made of plain values.

use serde_json::json;

use super::*;

const SCRIPT: &str = "https://events.shop.example/s/shop.js";

/// A page that is measured as it should be.
fn healthy() -> Visit {
    let mut visit = Visit::default();
    visit.page.site = "shop".to_owned();
    (visit.page.ready, visit.page.wasm) = (true, true);
    visit.page.tags = vec![SCRIPT.to_owned()];
    visit.page.kept.insert("visitor".to_owned(), "1".to_owned());
    let headers = json!({
        "Content-Type": "text/javascript; charset=windows-1252",
        "Content-Encoding": "br", "Cache-Control": "public, max-age=300"
    });
    let batch = json!({"site": "shop", "events": [
        {"type": "page_view", "consent": {"analytics": "granted"}}
    ]});
    visit.requests = vec![
        Request { is_page: true, ..request("https://shop.example/", "GET", 200) },
        Request { headers, ..request(SCRIPT, "GET", 200) },
        Request {
            body: batch.to_string(),
            ..request("https://events.shop.example/v1/events", "POST", 202)
        },
        Request { leaving: true, ..request("https://events.shop.example/v1/events", "POST", 202) },
    ];
    visit
}

fn request(url: &str, method: &str, status: u16) -> Request {
    Request {
        url: url.to_owned(),
        method: method.to_owned(),
        status: Some(status),
        ..Request::default()
    }
}

fn report(visit: &Visit) -> Report {
    Report::of(&Url::parse("https://shop.example/").unwrap(), visit)
}

/// The checks that did not come out well, with what is said of them.
fn complaints(visit: &Visit) -> Vec<(&'static str, State, String)> {
    let findings = report(visit).findings.into_iter();
    let told = findings.filter(|finding| finding.state != State::Ok);
    told.map(|finding| {
        (finding.check, finding.state, format!("{} {}", finding.seen, finding.advice))
    })
    .collect()
}

#[test]
fn what_a_policy_keeps_from_getting_out_is_wrong() {
    let mut visit = healthy();
    visit.requests.truncate(2);
    visit.page.kept.insert("queue".to_owned(), "{}".to_owned());
    let said = complaints(&visit);
    assert!(
        said.iter().any(|(check, is, _)| (*check, *is) == ("events", State::Wrong)),
        "{said:?}"
    );

    let mut visit = healthy();
    visit.requests.truncate(2);
    let connecting = |to: &str| {
        format!(
            "Connecting to '{to}' violates the following Content Security Policy directive: \"default-src 'self'\". \
             Note that 'connect-src' was not explicitly set, so 'default-src' is used as a fallback."
        )
    };
    visit.complaints = vec![connecting("https://other.example/collect")];
    let said = complaints(&visit);
    assert!(said.iter().all(|(_, state, _)| *state == State::Note), "{said:?}");
    visit.complaints.push(connecting("https://events.shop.example/v1/events"));
    let said = complaints(&visit);
    let add = "add https://events.shop.example to connect-src";
    assert!(said.iter().any(|(_, is, said)| *is == State::Wrong && said.contains(add)), "{said:?}");
}

#[test]
fn an_answer_that_is_no_script_is_a_site_that_there_is_not() {
    let mut visit = healthy();
    visit.requests[1].status = None;
    visit.requests[1].failed = Some("net::ERR_BLOCKED_BY_ORB".to_owned());
    only(&visit, "script", State::Wrong, "footfall site list");
}

#[test]
fn a_part_that_there_is_not_is_told() {
    let mut visit = healthy();
    let part = "https://events.shop.example/s/footfall-0a1b.form.js";
    visit.requests.push(request(part, "GET", 404));
    only(&visit, "parts", State::Wrong, "no part form ");
}

fn only(visit: &Visit, check: &str, state: State, part: &str) {
    let complaints = complaints(visit);
    let [(found, is, said)] = &complaints[..] else { panic!("{complaints:?}") };
    assert!(*found == check && *is == state && said.contains(part), "{complaints:?}");
}

#[test]
fn a_page_that_is_measured_has_nothing_to_mend() {
    let report = report(&healthy());
    assert!(
        report.is_well() && report.findings.iter().all(|found| found.state == State::Ok),
        "{report}"
    );
    let checks: Vec<_> = report.findings.iter().map(|finding| finding.check).collect();
    let all = ["page", "tag", "script", "policy", "tracker", "consent", "events", "ids", "leaving"];
    assert_eq!(checks, all);
}

#[test]
fn a_page_without_a_tag_is_told_how_to_get_one() {
    let mut visit = healthy();
    visit.requests.truncate(1);
    visit.page.tags.clear();
    only(&visit, "tag", State::Wrong, "footfall site add");
}

#[test]
fn a_script_that_the_policy_blocks_is_named() {
    let mut visit = healthy();
    let script = &mut visit.requests[1];
    (script.status, script.failed) = (None, Some("net::ERR_BLOCKED_BY_CLIENT, csp".to_owned()));
    only(&visit, "script", State::Wrong, "add https://events.shop.example to script-src");
}

#[test]
fn a_proxy_that_changes_the_script_is_told_of() {
    let mut visit = healthy();
    visit.requests[1].headers = json!({"content-type": "text/javascript; charset=utf-8"});
    only(&visit, "script", State::Wrong, "a proxy has changed it");
}

#[test]
fn a_page_of_the_scripts_character_set_is_not_taken_for_it() {
    let typed = |url, kind: &str| Request {
        headers: json!({"content-type": format!("{kind}; charset=windows-1252")}),
        ..request(url, "GET", 200)
    };
    let mut visit = healthy();
    visit.requests[0] = Request { is_page: true, ..typed("https://shop.example/", "text/html") };
    visit.requests.insert(1, typed("https://shop.example/old.js", "text/javascript"));
    assert!(complaints(&visit).is_empty(), "{:?}", complaints(&visit));
    // Under a name of the site's own it is known by what the collector says of it.
    let script = &mut visit.requests[2];
    script.url = "https://shop.example/assets/app.js".to_owned();
    script.headers["Cross-Origin-Resource-Policy"] = "cross-origin".into();
    assert_eq!(script_request(&visit).unwrap().url, "https://shop.example/assets/app.js");
}

#[test]
fn without_webassembly_it_is_said_what_is_not_counted() {
    let mut visit = healthy();
    visit.page.wasm = false;
    let complaints = complaints(&visit);
    assert!(complaints.iter().all(|(_, state, _)| *state == State::Note), "{complaints:?}");
    assert!(complaints[0].2.contains("'wasm-unsafe-eval'"), "{complaints:?}");
}

#[test]
fn events_that_are_refused_left_out_or_blocked_are_told_apart() {
    let mut visit = healthy();
    visit.requests[2].status = Some(403);
    only(&visit, "events", State::Wrong, "footfall site add shop --origin");
    let mut visit = healthy();
    visit.requests[2].headers = json!({"X-Footfall-Dropped": "visitor_missing"});
    only(&visit, "events", State::Wrong, "left out: visitor_missing");
    // The first may be taken and a later one not.
    let mut visit = healthy();
    let later = Request {
        headers: json!({"X-Footfall-Dropped": "name_missing"}),
        ..visit.requests[2].clone()
    };
    visit.requests.insert(3, later);
    only(&visit, "events", State::Wrong, "left out: name_missing");
    let mut visit = healthy();
    (visit.requests[2].status, visit.requests[2].failed) = (None, Some("csp".to_owned()));
    only(&visit, "events", State::Wrong, "must list https://events.shop.example");
}

#[test]
fn the_page_is_where_its_address_led_to() {
    let mut visit = healthy();
    let mut led = visit.requests[0].clone();
    (led.url, led.status) = ("https://www.shop.example/".to_owned(), Some(500));
    visit.requests[0].status = None;
    visit.requests.insert(1, led);
    only(&visit, "page", State::Wrong, "answers 500");
}

#[test]
fn a_page_that_cannot_be_opened_is_the_only_finding() {
    let visit =
        Visit { unreachable: Some("net::ERR_NAME_NOT_RESOLVED".to_owned()), ..Visit::default() };
    only(&visit, "page", State::Wrong, "ERR_NAME_NOT_RESOLVED");
    assert!(!report(&visit).is_well());
}

#[test]
fn a_site_is_known_by_its_scripts_address() {
    assert_eq!(site_of(SCRIPT).as_deref(), Some("shop"));
    assert_eq!(site_of("https://shop.example/t/s/blog.stream.js").as_deref(), Some("blog"));
    for other in ["https://shop.example/app.js", "https://shop.example/s/.js", "shop.js"] {
        assert_eq!(site_of(other), None, "{other}");
    }
}

#[test]
fn who_denies_is_left_alone_or_it_is_told_what_is_not() {
    let mut visit = healthy();
    assert!(report(&visit).findings.iter().all(|finding| finding.check != "denial"));
    visit.page.kept = [("consent".to_owned(), "denied denied denied".to_owned())].into();
    visit.denied_at = Some(1000.0);
    visit.requests[2].at = 900.0;
    assert_eq!(denial(&visit).unwrap().state, State::Ok);
    // The denial itself may be told, where events left for ad platforms before.
    let last = json!({"site": "shop", "events": [{"type": "custom", "name": "consent"}]});
    let sent = |body: &Value| Request {
        body: body.to_string(),
        at: 1100.0,
        ..request("https://events.shop.example/v1/events", "POST", 202)
    };
    visit.requests.push(sent(&last));
    assert_eq!(denial(&visit).unwrap().state, State::Ok);
    let more = json!({"site": "shop", "events": [{"type": "page_view"}]});
    visit.requests.push(sent(&more));
    only(&visit, "denial", State::Wrong, "sent after it: page_view");
    visit.requests.pop();
    visit.page.kept.insert("visitor".to_owned(), "1".to_owned());
    only(&visit, "denial", State::Wrong, "still kept after it: [\"visitor\"]");
}
