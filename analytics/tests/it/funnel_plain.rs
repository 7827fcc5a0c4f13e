//! The database's funnel beside a slow and plain one that tries every way through a history.

use analytics::funnel::{By, Funnel};
use analytics::query::{Filter, Range};
use proptest::collection::vec;
use proptest::prelude::Strategy;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use store::EventRow;
use store::testing::{TestDatabase, insert, visitor_id};
use uuid::Uuid;

use crate::site;

/// An event's millisecond and name.
type Event = (i64, &'static str);

/// A step `any` is met by every event.
fn meets(step: &str, event: Event) -> bool {
    step == "any" || step == event.1
}

/// The most steps that can be done from `step` on, each by an event of its own. Two events at once
/// may have happened either way round.
fn furthest(history: &[Event], steps: &[&str], window: i64, done: &mut Vec<usize>) -> usize {
    let mut most = done.len();
    let Some(step) = steps.get(done.len()) else { return most };
    for (index, event) in history.iter().enumerate() {
        let in_order = done.last().is_none_or(|last| history[*last].0 <= event.0);
        let in_time = done.first().is_none_or(|first| event.0 - history[*first].0 <= window);
        if in_order && in_time && !done.contains(&index) && meets(step, *event) {
            done.push(index);
            most = most.max(furthest(history, steps, window, done));
            done.pop();
        }
    }
    most
}

fn rows(site: &str, visitor: usize, history: &[Event]) -> Vec<EventRow> {
    let row = |(at, name): &Event| EventRow {
        site: site.to_owned(),
        event_id: Uuid::new_v4(),
        kind: "custom".to_owned(),
        name: (*name).to_owned(),
        occurred_at: 1_700_000_000_000 + at,
        visitor_id: visitor_id(&visitor.to_string()),
        ..EventRow::default()
    };
    history.iter().map(row).collect()
}

async fn check(
    database: &TestDatabase,
    name: &str,
    steps: &[&'static str],
    window: i64,
    histories: &[Vec<Event>],
) -> Result<Vec<u64>, TestCaseError> {
    let numbered = histories.iter().enumerate();
    let rows: Vec<EventRow> =
        numbered.flat_map(|(visitor, history)| rows(name, visitor, history)).collect();
    insert(database.server(), &rows).await;
    let funnel = Funnel {
        site: site(name),
        steps: steps.iter().map(|step| step.parse().unwrap()).collect(),
        window: format!("{}s", window / 1000).parse().unwrap(),
        by: By::Visitor,
        range: Range::ALL,
        filter: Filter::default(),
    };
    let report = funnel.ask(database.server()).await;
    let report = report.map_err(|error| TestCaseError::fail(format!("{error}")))?;
    let counts: Vec<u64> = report.steps.iter().map(|step| step.count).collect();
    let reached: Vec<usize> =
        histories.iter().map(|history| furthest(history, steps, window, &mut Vec::new())).collect();
    let expected: Vec<u64> = (1..=steps.len())
        .map(|step| reached.iter().filter(|reached| **reached >= step).count() as u64)
        .collect();
    proptest::prop_assert_eq!(&counts, &expected);
    Ok(counts)
}

#[test]
fn counts_what_a_plain_funnel_counts() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(TestDatabase::create());
    let case = std::cell::Cell::new(0_usize);
    let through = std::cell::Cell::new(0_u64);
    let event = (0..6_i64, select(vec!["a", "b", "c"])).prop_map(|(at, name)| (at * 500, name));
    let history = vec(event, 0..7).prop_map(|mut history| {
        history.sort_unstable();
        history
    });
    let step = select(vec!["a", "b", "c", "any"]);
    let stories = (vec(step, 1..5), 1..3_i64, vec(history, 1..20));
    let config = Config { cases: 100, source_file: Some(file!()), ..Config::default() };
    let ran = TestRunner::new(config).run(&stories, |(steps, seconds, histories)| {
        case.set(case.get() + 1);
        let name = format!("case-{}", case.get());
        let counts = check(&database, &name, &steps, seconds * 1000, &histories);
        let counts = runtime.block_on(counts)?;
        through.set(through.get() + counts.last().copied().unwrap_or(0));
        Ok(())
    });
    assert!(ran.is_ok(), "{}", ran.unwrap_err());
    assert!(through.get() > 100, "too few go through to tell: {}", through.get());
}
