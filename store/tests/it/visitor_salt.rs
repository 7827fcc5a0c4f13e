//! The day's salt: of two the first holds, and what is destroyed is gone.

use store::testing::TestDatabase;
use store::visitor_salt::{VisitorSalt, destroy_before, list, publish};

const fn salt(day: u16, byte: u8) -> VisitorSalt {
    VisitorSalt { day, salt: [byte; 32] }
}

#[tokio::test]
async fn the_first_salt_of_a_day_holds_until_its_day_is_over() {
    let database = TestDatabase::create().await;
    let server = database.server();
    // Later ones are less by their bytes, and yet come later.
    let salts = [salt(20_001, 9), salt(20_002, 8), salt(20_002, 7)];
    for salt in salts {
        publish(server, salt).await.unwrap();
    }
    assert_eq!(list(server).await.unwrap(), salts);
    destroy_before(server, 20_002).await.unwrap();
    assert_eq!(list(server).await.unwrap(), salts[1..]);
    destroy_before(server, 20_003).await.unwrap();
    assert_eq!(list(server).await.unwrap(), []);
}

#[tokio::test]
async fn no_log_of_clickhouses_has_a_salt_in_it() {
    let database = TestDatabase::create().await;
    let server = database.server();
    let secret = salt(20_001, b'~');
    publish(server, secret).await.unwrap();
    assert_eq!(format!("{secret:?}"), "VisitorSalt { day: 20001, .. }");
    destroy_before(server, 20_002).await.unwrap();
    let client = server.client();
    client.query("SYSTEM FLUSH LOGS").execute().await.unwrap();
    let logs = "SELECT name FROM system.tables WHERE database = 'system' AND name = 'query_log'";
    // Where the server keeps no such log, there is nothing that could be in it.
    if client.query(logs).fetch_optional::<String>().await.unwrap().is_some() {
        let found = "SELECT count() FROM system.query_log WHERE query LIKE '%visitor_salts%' \
            AND position(query, repeat('~', 16)) > 0";
        assert_eq!(client.query(found).fetch_one::<u64>().await.unwrap(), 0);
    }
}
