//! Whether `/readyz` and `/metrics` tell that nothing goes in, while ClickHouse answers all else.

use store::testing::TestDatabase;

use crate::stack::{Stack, add_site, batch, count, eventually, page_view};

async fn run(database: &TestDatabase, statement: &str) {
    database.server().client().query(statement).execute().await.unwrap();
}

async fn metric(stack: &Stack, line: &str) -> bool {
    stack.collector.get("/metrics").await.text().contains(line)
}

#[tokio::test]
async fn a_clickhouse_that_answers_and_takes_no_rows_is_not_ready_until_it_takes_them() {
    let stack = Stack::up(&[]).await;
    assert_eq!(stack.collector.get("/readyz").await.status, 200);
    run(&stack.database, "RENAME TABLE events TO away").await;
    assert_eq!(stack.collector.post(&batch(&[page_view(1)])).await.status, 202);
    let refused = "collector_insert_failures_total{reason=\"not_migrated\"} 0\n";
    eventually("an insert is refused", || async { !metric(&stack, refused).await }).await;
    for sites in 2..=4 {
        // Each time the sites have been read since: ClickHouse has answered, and still takes nothing.
        add_site(&stack.database, &format!("shop{sites}")).await;
        let known = format!("collector_sites {sites}\n");
        eventually("the new site is known", || async { metric(&stack, &known).await }).await;
        let told = stack.collector.get("/readyz").await;
        assert_eq!(told.status, 503, "{}", told.text());
        assert_eq!(told.json()["clickhouse"]["answers"], true);
        assert_eq!(told.json()["clickhouse"]["takes_rows"], false);
        assert!(metric(&stack, "collector_clickhouse_answers 1\n").await);
        assert!(metric(&stack, "collector_clickhouse_takes_rows 0\n").await);
    }
    run(&stack.database, "RENAME TABLE away TO events").await;
    eventually("it is ready again", || async {
        stack.collector.get("/readyz").await.status == 200
    })
    .await;
    assert!(metric(&stack, "collector_clickhouse_takes_rows 1\n").await);
    assert_eq!(count(&stack.database, "events").await, 1);
    stack.collector.stop().await;
}
