//! The consent gate: the last known answer of a browser, a no from anywhere.

use wire::Choice::{Denied, Granted, Unknown};

use crate::story::{assert_adds_up, buyer, hash, leaving, looker, told};

#[tokio::test]
async fn only_whoever_has_said_yes_leaves() {
    let database = told([
        buyer("ana", Granted).email("ana@example.hr"),
        buyer("bo", Denied).email("bo@example.hr"),
        buyer("cy", Unknown).email("cy@example.hr"),
        looker("di", Granted).email("di@example.hr"),
    ])
    .await;
    let (file, receipt) = leaving(database.server()).await;
    assert_eq!(
        file,
        format!("Email,Phone,First Name,Last Name,Country,Zip\n{},,,,,\n", hash("ana@example.hr"))
    );
    assert_eq!(
        (receipt.visitors, receipt.matched, receipt.without_consent, receipt.leaving),
        (3, 3, 2, 1)
    );
    assert_adds_up(&receipt);
}

#[tokio::test]
async fn a_yes_taken_back_holds_and_a_yes_given_later_lets_leave() {
    let database = told([
        buyer("back", Granted).email("back@example.hr").answers(Denied, "2026-01-20T10:00:00Z"),
        buyer("later", Denied).email("later@example.hr").answers(Granted, "2026-01-20T10:00:00Z"),
        buyer("silent", Granted)
            .email("silent@example.hr")
            .answers(Unknown, "2026-01-20T10:00:00Z"),
    ])
    .await;
    let (file, receipt) = leaving(database.server()).await;
    assert!(!file.contains(&hash("back@example.hr")), "a withdrawn consent left");
    assert!(file.contains(&hash("later@example.hr")));
    assert!(
        file.contains(&hash("silent@example.hr")),
        "unknown is no answer, so it takes back nothing"
    );
    assert_eq!((receipt.without_consent, receipt.leaving), (1, 2));
}

#[tokio::test]
async fn an_answer_that_arrives_late_counts_by_when_it_was_given() {
    let story =
        buyer("ana", Denied).email("ana@example.hr").answers(Granted, "2026-01-05T10:00:00Z");
    let database = told([story]).await;
    let (file, _) = leaving(database.server()).await;
    assert_eq!(file, "");
}

#[tokio::test]
async fn of_two_answers_at_once_the_no_counts() {
    let at_once = "2026-01-20T10:00:00Z";
    let ana = buyer("ana", Unknown).email("ana@example.hr");
    let bo = buyer("bo", Unknown).email("bo@example.hr");
    let database = told([
        ana.answers(Granted, at_once)
            .visit(|visit| visit.at(at_once).consents(Denied).does("settings")),
        bo.answers(Denied, at_once)
            .visit(|visit| visit.at(at_once).consents(Granted).does("settings")),
    ])
    .await;
    let (file, receipt) = leaving(database.server()).await;
    assert_eq!(file, "");
    assert_eq!(receipt.without_consent, 2);
}

#[tokio::test]
async fn a_no_on_the_persons_other_browser_holds_them() {
    let database = told([
        buyer("laptop", Granted).is("ana").email("ana@example.hr"),
        looker("phone", Denied).is("ana"),
        buyer("desktop", Granted).is("bo").email("bo@example.hr"),
        looker("tablet", Unknown).is("bo"),
    ])
    .await;
    let (file, receipt) = leaving(database.server()).await;
    assert!(!file.contains(&hash("ana@example.hr")));
    assert!(file.contains(&hash("bo@example.hr")));
    assert_eq!((receipt.visitors, receipt.matched, receipt.without_consent), (2, 2, 1));
}

#[tokio::test]
async fn a_yes_on_a_browser_the_rule_did_not_match_is_not_enough() {
    let database = told([
        buyer("laptop", Unknown).is("ana").email("ana@example.hr"),
        looker("phone", Granted).is("ana"),
    ])
    .await;
    let (file, receipt) = leaving(database.server()).await;
    assert_eq!(file, "");
    assert_eq!(receipt.without_consent, 1);
}

#[tokio::test]
async fn the_rule_matches_as_many_visitors_as_the_segment_says() {
    let database = told([
        buyer("laptop", Granted).is("ana").email("ana@example.hr"),
        buyer("phone", Granted).is("ana"),
        buyer("bo", Unknown),
        looker("cy", Granted),
    ])
    .await;
    let audience = crate::story::audience(1);
    let segment =
        analytics::segment::Segment { site: audience.site, rule: audience.rule, now: audience.now };
    let counted = segment.ask(database.server()).await.unwrap();
    let (_, receipt) = leaving(database.server()).await;
    assert_eq!(receipt.visitors, counted.visitors);
    assert_eq!((receipt.visitors, receipt.matched), (3, 2));
    assert_eq!(receipt.rule, counted.rule);
}
