//! One row for one human, and nobody's row with another's identifiers.

use wire::Choice::Granted;

use crate::story::{assert_adds_up, buyer, hash, leaving, looker, told};

#[tokio::test]
async fn visitors_with_one_user_id_are_one_row() {
    let database = told([
        buyer("laptop", Granted).is("ana").email("ana@example.hr"),
        buyer("phone", Granted).is("ana").known(&[("phone", "091 234 5678")], "HR"),
    ])
    .await;
    let (file, receipt) = leaving(database.server()).await;
    assert_eq!(file.lines().count(), 2);
    assert!(file.lines().nth(1).unwrap().starts_with(&hash("ana@example.hr")));
    assert_eq!((receipt.visitors, receipt.matched, receipt.leaving), (2, 1, 1));
}

#[tokio::test]
async fn a_person_is_known_by_what_another_browser_told() {
    let database = told([
        buyer("phone", Granted).is("ana"),
        looker("laptop", Granted).is("ana").email("ana@example.hr"),
    ])
    .await;
    let (file, _) = leaving(database.server()).await;
    assert!(file.contains(&hash("ana@example.hr")));
}

#[tokio::test]
async fn two_people_on_one_browser_do_not_mix() {
    let shared =
        buyer("shared", Granted).is("ana").email("ana@example.hr").is("bo").email("bo@example.hr");
    let database = told([shared]).await;
    let (file, receipt) = leaving(database.server()).await;
    assert!(file.contains(&hash("bo@example.hr")), "the browser is whose who was last there");
    assert!(!file.contains(&hash("ana@example.hr")));
    assert_eq!(receipt.leaving, 1);
}

#[tokio::test]
async fn a_user_id_that_looks_like_a_visitor_is_not_that_visitor() {
    let ana = store::testing::visitor_id("ana").to_string();
    let database = told([
        buyer("ana", Granted).email("ana@example.hr"),
        buyer("bo", Granted).is(&ana).email("bo@example.hr"),
    ])
    .await;
    let (_, receipt) = leaving(database.server()).await;
    assert_eq!((receipt.matched, receipt.leaving), (2, 2));
}

#[tokio::test]
async fn people_who_share_an_email_are_counted_once() {
    let database = told([
        buyer("one", Granted).is("1").email("ana@example.hr"),
        buyer("two", Granted).is("2").email(" ANA@example.hr"),
        buyer("three", Granted),
    ])
    .await;
    let (file, receipt) = leaving(database.server()).await;
    assert_eq!(file.lines().count(), 2);
    assert_eq!(
        (receipt.matched, receipt.joined, receipt.without_identifiers, receipt.leaving),
        (3, 1, 1, 1)
    );
    assert_adds_up(&receipt);
}

#[tokio::test]
async fn another_sites_people_stay_there() {
    let elsewhere = buyer("bo", Granted)
        .visit(|visit| visit.site("blog").does("purchase"))
        .email("bo@example.hr")
        .identifiers(|rows| rows.iter_mut().for_each(|row| row.site = "blog".to_owned()));
    let database = told([buyer("ana", Granted).email("ana@example.hr"), elsewhere]).await;
    let (file, receipt) = leaving(database.server()).await;
    assert!(!file.contains(&hash("bo@example.hr")));
    assert_eq!((receipt.matched, receipt.without_identifiers, receipt.leaving), (2, 1, 1));
}

#[tokio::test]
async fn a_retried_event_is_one_event() {
    let database = told([buyer("ana", Granted).email("ana@example.hr")]).await;
    let again = store::testing::visitor("ana")
        .at("2026-01-10T10:00:00Z")
        .consents(Granted)
        .does("purchase");
    let mut rows = again.rows();
    rows[0].received_at += 5000;
    store::testing::insert(database.server(), &rows).await;
    let (file, receipt) = leaving(database.server()).await;
    assert_eq!(file.lines().count(), 2);
    assert_eq!((receipt.visitors, receipt.matched), (1, 1));
}
