//! ClickHouse is away, or is killed while it takes rows.

use std::time::{Duration, Instant};

use super::{House, Load};

const KILLS: usize = 4;
const AWAY: Duration = Duration::from_secs(60);
/// The collector in a debug build; a release build has half of it.
const MEBIBYTE: u64 = 1024 * 1024;
const MEMORY_MAX: u64 = 150 * MEBIBYTE;

#[test]
fn a_clickhouse_killed_in_the_middle_of_inserts_has_every_event_once() {
    let mut house = House::up(&["--flush-rows", "60", "--flush-age", "50ms"]);
    let load = Load::start(&house.address, 4, 5);
    for _ in 0..KILLS {
        load.goes_on(400);
        house.kill_clickhouse();
        load.goes_on(200);
        house.start_clickhouse();
    }
    load.goes_on(400);
    let answered = load.end();
    house.holds_once(&answered);
}

#[test]
fn a_minute_without_clickhouse_is_waited_out_in_flat_memory() {
    let mut house = House::up(&[]);
    let load = Load::start(&house.address, 2, 50);
    load.goes_on(1000);
    house.kill_clickhouse();
    let away = Instant::now();
    load.goes_on(5000);
    let early = house.held().memory;
    while away.elapsed() < AWAY {
        load.goes_on(1000);
    }
    let late = house.held().memory;
    assert!(late < MEMORY_MAX, "{late} bytes");
    assert!(late < early / 10 * 13 + 10 * MEBIBYTE, "{early} bytes grew to {late}");
    assert_eq!(load.refused(), 0);
    let answered = load.end();
    house.start_clickhouse();
    house.holds_once(&answered);
}
