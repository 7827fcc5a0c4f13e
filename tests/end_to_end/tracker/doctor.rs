//! `footfall doctor` on pages that are well and on pages that are not.

use footfall_tests::{Footfall, Stack};

use super::site::{EARLY, Site};

/// What the command printed, whether or not it was content.
fn said(arguments: &[&str]) -> String {
    let run = Footfall::run(&[&["doctor"], arguments].concat()).unwrap();
    let is_well = checks(&run.printed).iter().all(|(_, state)| *state != "wrong");
    assert_eq!(run.code, Some(if is_well { 0 } else { 1 }), "{}{}", run.printed, run.errors);
    run.printed
}

/// The checks of a report with how each came out.
fn checks(report: &str) -> Vec<(&str, &str)> {
    let words = report.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let found = words.filter(|words| matches!(words.first(), Some(&"ok" | &"note" | &"wrong")));
    found.map(|words| (words[1], words[0])).collect()
}

#[test]
fn the_doctor_sees_what_does_not_get_out_and_parts_that_there_are_not() {
    let stack = Stack::up(&[]).unwrap();
    let collector = &stack.collector;
    for (name, script) in
        [("kept", format!("{collector} 'wasm-unsafe-eval'")), ("kept-refused", collector.clone())]
    {
        let site = Site::bind();
        let tag = stack.site(name, &site.origin).unwrap();
        let policy =
            format!("content-security-policy: script-src {script}; connect-src 'self'\r\n");
        let report = said(&[&site.serve(policy, tag)]);
        assert!(checks(&report).contains(&("events", "wrong")), "{report}");
        assert!(report.contains(&format!("add {collector} to connect-src")), "{report}");
    }

    let site = Site::bind();
    let tag = stack.site("parts", &site.origin).unwrap();
    let tag = tag.replace("<script ", "<script data-with=form ");
    let report = said(&[&site.serve(String::new(), tag)]);
    assert!(checks(&report).contains(&("parts", "wrong")), "{report}");
    assert!(report.contains("there is no part form"), "{report}");
    stack.stop().unwrap();
}

#[test]
fn the_doctor_answers_a_site_that_waits_for_consent() {
    let stack = Stack::up(&[]).unwrap();
    let site = Site::bind();
    let tag = stack.site("waits", &site.origin).unwrap();
    let tag = tag.replace("<script ", "<script data-before-consent=wait ");
    let url = site.serve(String::new(), [EARLY, &tag].concat());
    let report = said(&[&url]);
    assert!(checks(&report).contains(&("events", "note")), "{report}");
    assert!(report.contains("--consent granted"), "{report}");
    let report = said(&[&url, "--consent", "granted"]);
    assert!(checks(&report).contains(&("events", "ok")), "{report}");
    assert!(
        report.contains("events go with {\"ads\":\"granted\",\"analytics\":\"granted\""),
        "{report}"
    );
    assert!(checks(&report).contains(&("ids", "ok")), "{report}");
    let report = said(&[&url, "--consent", "denied"]);
    assert!(report.contains("none: the visitor denies analytics"), "{report}");
    assert!(report.contains("kept in localStorage: consent; no cookie"), "{report}");
    assert_eq!(checks(&report).last(), Some(&("denial", "ok")), "{report}");
    // Something in the page does not take a no.
    let deaf =
        "<script>setInterval(() => footfall('consent', { analytics: 'granted' }), 300)</script>";
    let insists = Site::bind();
    let tag_there = stack.site("insists", &insists.origin).unwrap();
    let url = insists.serve(String::new(), [EARLY, deaf, &tag_there].concat());
    let report = said(&[&url, "--consent", "denied"]);
    assert_eq!(checks(&report).last(), Some(&("denial", "wrong")), "{report}");

    // Of another origin than the site's: that is not seen before somebody agrees.
    let elsewhere = Site::bind().serve(String::new(), tag);
    let report = said(&[&elsewhere, "--consent", "granted"]);
    assert!(checks(&report).contains(&("events", "wrong")), "{report}");
    assert!(report.contains("answered 403"), "{report}");
    stack.stop().unwrap();
}

#[test]
fn the_doctor_tells_pages_that_are_measured_from_those_that_are_not() {
    let stack = Stack::up(&[]).unwrap();
    let well = Site::bind();
    let tag = stack.site("well", &well.origin).unwrap();
    let url = well.serve(String::new(), [EARLY, &tag].concat());
    let report = said(&[&format!("{url}/#place")]);
    assert!(report.contains("page_view, custom sent and taken"), "{report}");
    assert!(report.contains("answers 200"), "{report}");
    assert!(report.contains("kept in localStorage: "), "{report}");
    assert!(checks(&report).iter().all(|(_, state)| *state == "ok"), "{report}");

    // Of another origin than the site's.
    let url = Site::bind().serve(String::new(), tag.clone());
    let report = said(&[&url]);
    assert!(checks(&report).contains(&("events", "wrong")), "{report}");
    assert!(report.contains("footfall site add well --origin"), "{report}");

    let strict = Site::bind();
    let tag = stack.site("strict", &strict.origin).unwrap();
    let policy = |script: &str| format!("content-security-policy: script-src {script}\r\n");
    let url = strict.serve(policy(&stack.collector), tag.clone());
    let report = said(&[&url]);
    assert!(checks(&report).contains(&("policy", "note")), "{report}");
    assert!(report.contains("add 'wasm-unsafe-eval' to script-src"), "{report}");
    assert!(checks(&report).contains(&("events", "ok")), "{report}");

    let url = Site::bind().serve(policy("'self'"), tag.clone());
    let report = said(&[&url]);
    assert!(checks(&report).contains(&("script", "wrong")), "{report}");
    assert!(report.contains(&format!("add {} to script-src", stack.collector)), "{report}");

    let url = Site::bind().serve(String::new(), String::new());
    let report = said(&[&url]);
    assert_eq!(checks(&report), [("page", "ok"), ("tag", "wrong")], "{report}");

    let misspelt = tag.replace("/strict.js", "/strikt.js");
    assert_ne!(misspelt, tag);
    let report = said(&[&Site::bind().serve(String::new(), misspelt)]);
    assert_eq!(checks(&report).last(), Some(&("script", "wrong")), "{report}");
    assert!(report.contains("`footfall site list` names those there are"), "{report}");
    // Nobody listens on port 1.
    let report = said(&["http://127.0.0.1:1/"]);
    assert_eq!(checks(&report), [("page", "wrong")], "{report}");

    // A visit that a program made is no visitor's.
    stack.drained().unwrap();
    assert_eq!(footfall_tests::stored(&stack.clickhouse, "well").unwrap(), 0);
    let bots = "SELECT count() > 0 AS are_there FROM footfall.bot_events WHERE site = 'well'";
    assert_eq!(stack.rows(bots).unwrap()[0]["are_there"], 1);
    stack.stop().unwrap();
}
