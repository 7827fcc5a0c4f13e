//! The collector is killed or stopped while events come in.

use super::{House, Load};

/// Kills; each in the middle of inserts and of appends.
const KILLS: usize = 20;

#[test]
fn twenty_kills_under_load_lose_nothing_and_double_nothing() {
    // Small blocks, so that a kill falls into an insert too.
    let mut house = House::up(&["--flush-rows", "40", "--flush-age", "100ms"]);
    let load = Load::start(&house.address, 4, 3);
    for _ in 0..KILLS {
        load.goes_on(60);
        house.kill_collector();
        house.start_collector();
    }
    load.goes_on(60);
    let answered = load.end();
    assert!(answered.len() >= (KILLS + 1) * 60, "{}", answered.len());
    house.holds_once(&answered);
}

#[test]
fn a_stop_under_load_stores_all_that_was_answered_before_it_ends() {
    let mut house = House::up(&["--drain-timeout", "60s"]);
    let load = Load::start(&house.address, 4, 3);
    load.goes_on(300);
    house.stop_collector();
    let answered = load.end();
    // Not waited for: a stop ends when ClickHouse has it all.
    let stored = house.ask("SELECT count() FROM footfall.events").unwrap();
    let stored: usize = stored.trim().parse().unwrap();
    assert!(stored >= answered.len(), "{stored} of {} are stored", answered.len());
    house.holds_once(&answered);
}
