//! The suppression list: whoever stands on it stays, whatever the segment says.

use audience::{REASON_BYTES_MAX, SuppressError, Suppression};
use identifier::ParseError;
use store::Server;
use wire::Choice::Granted;

use crate::story::{NOW, assert_adds_up, at, buyer, hash, leaving, told};

async fn suppress(server: &Server, site: &str, suppression: Suppression) {
    suppression.apply(server, &site.parse().unwrap(), "asked by letter", at(NOW)).await.unwrap();
}

#[tokio::test]
async fn a_suppressed_email_stays_however_it_was_written() {
    let database = told([
        buyer("ana", Granted).email("ana.horvat+shop@gmail.com"),
        buyer("bo", Granted).email("bo@example.hr"),
    ])
    .await;
    suppress(database.server(), "shop", Suppression::email("AnaHorvat@gmail.com").unwrap()).await;
    let (file, receipt) = leaving(database.server()).await;
    assert!(!file.contains(&hash("anahorvat@gmail.com")));
    assert!(file.contains(&hash("bo@example.hr")));
    assert_eq!((receipt.suppressed, receipt.leaving), (1, 1));
    assert_adds_up(&receipt);
}

#[tokio::test]
async fn a_suppressed_phone_holds_the_whole_person() {
    let ana = [("email", "ana@example.hr"), ("phone", "+385 91 234 5678")];
    let database = told([buyer("ana", Granted).known(&ana, "HR")]).await;
    suppress(database.server(), "shop", Suppression::phone("091/234-5678", Some("HR")).unwrap())
        .await;
    let (file, receipt) = leaving(database.server()).await;
    assert_eq!(file, "");
    assert_eq!((receipt.suppressed, receipt.without_consent), (1, 0));
}

#[tokio::test]
async fn a_suppressed_phone_holds_who_is_known_by_either_form_of_it() {
    let phone = identifier::Phone::parse("+385 91 234 5678", None).unwrap();
    let (google, meta) = (phone.google().to_string(), phone.meta().to_string());
    let known = |name, email, form, hash| {
        buyer(name, Granted).known(&[("email", email), (form, hash)], "HR")
    };
    let database = told([
        known("ana", "ana@example.hr", "phone_sha256", &*google),
        known("bo", "bo@example.hr", "phone_meta_sha256", &*meta),
        buyer("cyd", Granted).email("cyd@example.hr"),
    ])
    .await;
    suppress(database.server(), "shop", Suppression::phone("+385912345678", None).unwrap()).await;
    let (file, receipt) = leaving(database.server()).await;
    assert!(file.contains(&hash("cyd@example.hr")), "{file}");
    assert_eq!((receipt.suppressed, receipt.leaving), (2, 1));
    assert_adds_up(&receipt);
}

#[tokio::test]
async fn who_hides_among_many_identifiers_is_found() {
    let emails = (0..200).map(|number| format!("{number}@example.hr")).collect::<Vec<_>>();
    let mut story = buyer("ana", Granted).is("ana");
    for email in &emails {
        story = story.email(email);
    }
    let database = told([story]).await;
    let (file, _) = leaving(database.server()).await;
    assert!(
        file.starts_with("Email,Email,Email,Phone,First Name"),
        "three of the e-mails leave: {file}"
    );
    for email in [&emails[0], &emails[199]] {
        suppress(database.server(), "blog", Suppression::email(email).unwrap()).await;
    }
    assert_eq!(leaving(database.server()).await.1.suppressed, 0, "another site's list");
    suppress(database.server(), "shop", Suppression::email(&emails[117]).unwrap()).await;
    assert_eq!(leaving(database.server()).await.1.suppressed, 1);
}

#[tokio::test]
async fn suppressing_twice_is_one_entry() {
    let database = told([buyer("ana", Granted).email("ana@example.hr")]).await;
    let ana = Suppression::email("ana@example.hr").unwrap();
    suppress(database.server(), "shop", ana.clone()).await;
    suppress(database.server(), "shop", ana).await;
    let count = database
        .server()
        .client()
        .query("SELECT count() FROM suppressions FINAL")
        .fetch_one::<u64>();
    assert_eq!(count.await.unwrap(), 2, "by Google's rule and by Meta's");
    assert_eq!(leaving(database.server()).await.1.suppressed, 1);
}

#[tokio::test]
async fn what_cannot_be_suppressed_is_told() {
    let database = told([]).await;
    assert_eq!(Suppression::email("nobody"), Err(ParseError::Email));
    assert_eq!(Suppression::phone("091 234 5678", None), Err(ParseError::Phone));
    assert_eq!(Suppression::phone("091 234 5678", Some("XX")), Err(ParseError::Country));
    let ana = Suppression::email("ana@example.hr").unwrap();
    let reason = "x".repeat(REASON_BYTES_MAX + 1);
    let applied = ana.apply(database.server(), &"shop".parse().unwrap(), &reason, at(NOW)).await;
    assert!(matches!(applied, Err(SuppressError::ReasonTooLong { bytes: 257 })));
    let hostile = "it's; DROP TABLE suppressions -- \\ {x:String} ?\n\t";
    ana.apply(database.server(), &"shop".parse().unwrap(), hostile, at(NOW)).await.unwrap();
    let reason = database
        .server()
        .client()
        .query("SELECT any(reason) FROM suppressions")
        .fetch_one::<String>();
    assert_eq!(reason.await.unwrap(), hostile);
}

/// For the collector's door, which knows a visitor by the id that events carry.
#[tokio::test]
async fn whoever_is_suppressed_is_known_by_their_user_ids_too() {
    let database = told([
        buyer("ana", Granted).is("customer-1").email("ana@example.hr"),
        buyer("bo", Granted).is("customer-2").email("bo@example.hr"),
    ])
    .await;
    suppress(database.server(), "shop", Suppression::email("ana@example.hr").unwrap()).await;
    let users = "SELECT value = lower(hex(SHA256('customer-1'))) FROM suppressions FINAL \
        WHERE site = 'shop' AND kind = 'user'";
    let users: Vec<bool> = database.server().client().query(users).fetch_all().await.unwrap();
    assert_eq!(users, [true]);
}
