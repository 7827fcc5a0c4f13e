//! The rule language is evaluated in two places, in memory and in ClickHouse: of the same random
//! histories both say the same.

use analytics::segment::Segment;
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::Strategy;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use segment::testing::{Event, NOW, evaluated, history, rule};
use segment::{Field, Rule};
use store::EventRow;
use store::testing::{TestDatabase, insert, visitor_id};
use uuid::Uuid;

use crate::site;

/// Every case is a site of its own in one database.
fn rows(site: &str, visitor: usize, history: &[Event], millis: i64) -> Vec<EventRow> {
    let row = |event: &Event| {
        let one = |field: Field| event.value(&field).concat();
        let mut row = EventRow {
            site: site.to_owned(),
            event_id: Uuid::new_v4(),
            kind: "custom".to_owned(),
            name: event.name.clone(),
            occurred_at: i64::from(event.time) * 1000 + millis,
            visitor_id: visitor_id(&visitor.to_string()),
            path: one(Field::Path),
            categories: event.value(&Field::Category),
            country: one(Field::Country),
            user_id: one(Field::User),
            ..EventRow::default()
        };
        for (field, value) in &event.fields {
            if let Field::Property(key) = field {
                row.properties.push((key.clone(), value.concat()));
            }
        }
        row
    };
    history.iter().map(row).collect()
}

/// Visitors without an event up to now are not in the database's eyes.
fn known(history: &[Event]) -> bool {
    history.iter().any(|event| event.time <= NOW)
}

async fn check(
    database: &TestDatabase,
    name: &str,
    rule: Rule,
    histories: &[Vec<Event>],
    millis: i64,
) -> Result<usize, TestCaseError> {
    let numbered = histories.iter().enumerate();
    let rows: Vec<EventRow> =
        numbered.flat_map(|(visitor, history)| rows(name, visitor, history, millis)).collect();
    insert(database.server(), &rows).await;
    let expected = evaluated(&rule, histories);
    let expected = expected.iter().zip(histories).enumerate();
    let mut expected: Vec<Uuid> = expected
        .filter(|(_, (means, history))| **means && known(history))
        .map(|(visitor, _)| visitor_id(&visitor.to_string()))
        .collect();
    expected.sort_unstable();
    let now = Timestamp::from_second(NOW.into()).unwrap();
    let segment = Segment { site: site(name), rule, now };
    let members = segment.members(database.server(), 100).await;
    let members = members.map_err(|error| TestCaseError::fail(format!("{error}")))?;
    proptest::prop_assert_eq!(&members, &expected, "{}", segment.rule);
    Ok(members.len())
}

#[test]
fn the_database_says_what_the_evaluator_says() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(TestDatabase::create());
    let case = std::cell::Cell::new(0_usize);
    let (asked, meant) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let config = Config { cases: 200, source_file: Some(file!()), ..Config::default() };
    let millis = proptest::sample::select(vec![0_i64, 1, 999]);
    let stories = (rule(), vec(history(), 1..6), millis);
    let stories = stories.prop_filter("a visitor", |(_, all, _)| all.iter().any(|one| known(one)));
    let ran = TestRunner::new(config).run(&stories, |(rule, histories, millis)| {
        case.set(case.get() + 1);
        let name = format!("case-{}", case.get());
        let members = runtime.block_on(check(&database, &name, rule, &histories, millis))?;
        asked.set(asked.get() + histories.len());
        meant.set(meant.get() + members);
        Ok(())
    });
    assert!(ran.is_ok(), "{}", ran.unwrap_err());
    let (asked, meant) = (asked.get(), meant.get());
    assert!(meant * 10 > asked && meant * 10 < asked * 9, "{meant} of {asked}: too few to tell");
}

#[tokio::test]
async fn both_read_the_same_numbers() {
    let texts = [
        "",
        "5",
        "05",
        "5.0",
        "5.",
        ".5",
        "+5",
        " 5",
        "5 ",
        "5\n",
        "5e0",
        "-5",
        "--5",
        "-0",
        "0",
        "٥",
        "5,0",
        "0.30000000000000004",
        "0.3000000009",
        "0.300000001",
        "-0.0000000009",
        "999999999999999999",
        "1000000000000000000",
        "999999999999999999.999999999999999999999999999999",
        "nan",
        "inf",
        "0x5",
    ];
    let key = Field::Property("price".to_owned());
    let history = |text: &&str| {
        let fields = [(key.clone(), vec![(*text).to_owned()])].into();
        vec![Event { time: NOW, name: "a".to_owned(), fields }]
    };
    let histories: Vec<Vec<Event>> = texts.iter().map(history).collect();
    let database = TestDatabase::create().await;
    let mut equal = 0;
    for operator in ["=", "!=", "<", "<=", ">", ">="] {
        for number in ["5", "0.3", "0", "-5", "999999999999999999"] {
            let text = format!("did a where properties.price {operator} {number}");
            let name = format!("case-{}", Uuid::new_v4());
            let members = check(&database, &name, text.parse().unwrap(), &histories, 0).await;
            let members = members.unwrap_or_else(|error| panic!("{text}: {error}"));
            equal += if operator == "=" { members } else { 0 };
        }
    }
    // 5, 05, 5.0; 0.3 with dust, twice; 0, -0 and less than counts; -5; the largest
    assert_eq!(equal, 3 + 2 + 3 + 1 + 1);
}
