//! Who was there, what they agreed to and what is known of them; and who leaves.

use audience::destination::google::CustomerMatchCsv;
use audience::{Audience, Receipt, Snapshot, SnapshotError};
use identifier::{Email, from_traits};
use jiff::Timestamp;
use segment::Rule;
use store::testing::{TestDatabase, Visit, insert, insert_identifiers, visitor, visitor_id};
use store::{IdentifierRow, Server};
use wire::Choice;

/// When every test asks.
pub(crate) const NOW: &str = "2026-02-01T00:00:00Z";
/// Whom every test asks for.
pub(crate) const RULE: &str = "did purchase";

/// What was sent by one visitor's browser.
pub(crate) struct Story {
    visit: Visit,
    visitor: String,
    user: String,
    identifiers: Vec<IdentifierRow>,
}

/// Begins with a visitor who has bought something and answered `choice`.
pub(crate) fn buyer(name: &str, choice: Choice) -> Story {
    Story::begin(name, choice, "purchase")
}

/// As [`buyer`], but the rule does not match them.
pub(crate) fn looker(name: &str, choice: Choice) -> Story {
    Story::begin(name, choice, "product_view")
}

impl Story {
    fn begin(name: &str, choice: Choice, event: &str) -> Self {
        let visit = visitor(name).at("2026-01-10T10:00:00Z").consents(choice).does(event);
        Self { visit, visitor: name.to_owned(), user: String::new(), identifiers: Vec::new() }
    }

    /// Says something else later, or earlier.
    pub(crate) fn answers(mut self, choice: Choice, at: &str) -> Self {
        self.visit = self.visit.at(at).consents(choice).views("/consent");
        self
    }

    /// Changes the visit itself.
    pub(crate) fn visit(mut self, change: impl FnOnce(Visit) -> Visit) -> Self {
        self.visit = change(self.visit);
        self
    }

    /// The site learns who it is.
    pub(crate) fn is(mut self, user: &str) -> Self {
        self.user = user.to_owned();
        self.visit = self.visit.identifies(user);
        self
    }

    /// What the site told of the person it was then, hashed as the collector does.
    pub(crate) fn known(mut self, traits: &[(&str, &str)], region: &str) -> Self {
        let found = from_traits(traits.iter().copied(), Some(region));
        self.identifiers.extend(found.into_iter().map(|known| IdentifierRow {
            site: "shop".to_owned(),
            visitor_id: visitor_id(&self.visitor),
            user_id: self.user.clone(),
            kind: known.kind.as_str().to_owned(),
            value: known.value,
            consent_ads: 0,
            occurred_at: at("2026-01-10T10:00:00Z").as_millisecond(),
            received_at: at("2026-01-10T10:00:00Z").as_millisecond(),
        }));
        self
    }

    /// The e-mail address, told.
    pub(crate) fn email(self, email: &str) -> Self {
        self.known(&[("email", email)], "HR")
    }

    /// The rows of `identifiers`, to be made wrong.
    pub(crate) fn identifiers(mut self, change: impl FnOnce(&mut Vec<IdentifierRow>)) -> Self {
        change(&mut self.identifiers);
        self
    }
}

pub(crate) fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// A database in which all this happened.
pub(crate) async fn told(stories: impl IntoIterator<Item = Story>) -> TestDatabase {
    let database = TestDatabase::create().await;
    let (mut events, mut identifiers) = (Vec::new(), Vec::new());
    for story in stories {
        events.extend(story.visit.rows());
        identifiers.extend(story.identifiers);
    }
    insert(database.server(), &events).await;
    insert_identifiers(database.server(), &identifiers).await;
    database
}

/// The audience of the site `shop`.
pub(crate) fn audience(size_min: u64) -> Audience {
    let rule = Rule::parse(RULE).unwrap();
    Audience { site: "shop".parse().unwrap(), rule, size_min, now: at(NOW) }
}

pub(crate) async fn taken(
    server: &Server,
    size_min: u64,
) -> Result<Snapshot<CustomerMatchCsv>, SnapshotError> {
    audience(size_min).snapshot(server, CustomerMatchCsv).await
}

/// The file that leaves where one person is enough, and its receipt; an empty text where nobody leaves.
pub(crate) async fn leaving(server: &Server) -> (String, Receipt) {
    match taken(server, 1).await {
        Ok(snapshot) => (written(&snapshot), snapshot.receipt().clone()),
        Err(SnapshotError::BelowFloor { receipt }) => (String::new(), *receipt),
        Err(error) => panic!("no answer: {error}"),
    }
}

pub(crate) fn written(snapshot: &Snapshot<CustomerMatchCsv>) -> String {
    let mut file = Vec::new();
    snapshot.write(&mut file).unwrap();
    String::from_utf8(file).unwrap()
}

/// As it stands in Google's file.
pub(crate) fn hash(email: &str) -> String {
    Email::parse(email).unwrap().google().to_string()
}

/// Every matched person stands in exactly one count.
pub(crate) fn assert_adds_up(receipt: &Receipt) {
    let outcomes = receipt.without_consent
        + receipt.suppressed
        + receipt.without_identifiers
        + receipt.joined
        + receipt.leaving;
    assert_eq!(receipt.matched, outcomes, "{receipt}");
}
