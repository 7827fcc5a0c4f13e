//! The size floor: below it nothing leaves.

use audience::{SIZE_MIN_DEFAULT, SnapshotError};
use wire::Choice::{Granted, Unknown};

use crate::story::{Story, buyer, taken, told, written};

fn buyers(many: u64) -> impl Iterator<Item = Story> {
    (0..many).map(|number| {
        buyer(&number.to_string(), Granted).email(&format!("buyer-{number}@example.hr"))
    })
}

#[tokio::test]
async fn at_the_floor_all_leave_and_one_below_it_nobody() {
    let database = told(buyers(SIZE_MIN_DEFAULT)).await;
    let snapshot = taken(database.server(), SIZE_MIN_DEFAULT).await.unwrap();
    assert_eq!(written(&snapshot).lines().count(), 101);

    let database =
        told(buyers(SIZE_MIN_DEFAULT - 1).chain([buyer("last", Unknown).email("last@example.hr")]))
            .await;
    let error = taken(database.server(), SIZE_MIN_DEFAULT).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "99 people would leave, fewer than the floor of 100: \
         100 matched, 1 without consent, 0 suppressed, 0 without identifiers, 0 joined, 99 leaving"
    );
}

#[tokio::test]
async fn a_hundred_visits_of_one_person_are_not_a_hundred_people() {
    let same = |number: u64| buyer(&number.to_string(), Granted).email("ana@example.hr");
    let database = told((0..SIZE_MIN_DEFAULT).map(same)).await;
    let Err(SnapshotError::BelowFloor { receipt }) =
        taken(database.server(), SIZE_MIN_DEFAULT).await
    else {
        panic!("one person left as a hundred");
    };
    assert_eq!((receipt.matched, receipt.joined, receipt.leaving), (100, 99, 1));
}

#[tokio::test]
async fn nobody_is_no_audience() {
    let database = told([]).await;
    let error = taken(database.server(), 0).await.unwrap_err();
    assert!(
        matches!(error, SnapshotError::BelowFloor { receipt } if receipt.size_min == 1 && receipt.matched == 0)
    );
}

#[tokio::test]
async fn a_time_no_rule_can_be_asked_at_is_an_error() {
    let database = told([]).await;
    let mut audience = crate::story::audience(1);
    audience.now = crate::story::at("1969-12-31T23:59:59Z");
    let snapshot =
        audience.snapshot(database.server(), audience::destination::google::CustomerMatchCsv);
    assert!(matches!(snapshot.await, Err(SnapshotError::Time { .. })));
}
