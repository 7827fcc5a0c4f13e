//! Ten visitors in a real browser, and the funnel beside what they did.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::house::{House, SITE};
use crate::test::Browser;
use crate::{place, program};

/// How long the last events may take into ClickHouse.
const ARRIVAL: Duration = Duration::from_secs(60);

/// What `example-shop walk` says its visitors did.
#[derive(Deserialize)]
pub(crate) struct Walked {
    pub(crate) visitors: u64,
    /// How many agreed to personalised ads and left an e-mail address.
    pub(crate) consenting: u64,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    name: String,
    count: u64,
}

pub(crate) fn walk(house: &House, browser: &Browser) -> Result<Walked> {
    let mut walk = Command::new(place::built("release", "example-shop"));
    walk.args(["walk", "--shop", house.shop_url(), "--format", "json"]);
    browser.name_in(&mut walk);
    let printed = program::output(&mut walk)?;
    serde_json::from_str(&printed).with_context(|| format!("not what was walked: {printed}"))
}

pub(crate) fn report(house: &House, walked: &Walked) -> Result<()> {
    let mut funnel = vec!["funnel", "--site", SITE, "--window", "1d"];
    walked.steps.iter().for_each(|step| funnel.extend(["--step", step.name.as_str()]));
    let truth: Vec<u64> = walked.steps.iter().map(|step| step.count).collect();
    let counted = arrived(house, &funnel, &truth)?;
    house.show(&funnel)?;
    println!("\n{:<20} {:>10} {:>10}", "step", "visitors", "counted");
    for (step, counted) in walked.steps.iter().zip(&counted) {
        println!("{:<20} {:>10} {counted:>10}", step.name, step.count);
    }
    ensure!(counted == truth, "the funnel is not what the visitors did");
    println!("The funnel is what the visitors did.");
    Ok(())
}

/// Asks until the funnel holds what the visitors did, or a minute has passed.
fn arrived(house: &House, funnel: &[&str], truth: &[u64]) -> Result<Vec<u64>> {
    let asked = Instant::now();
    loop {
        let counted = counts(&house.json(funnel)?)?;
        if counted == truth || asked.elapsed() > ARRIVAL {
            return Ok(counted);
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// The counts of a funnel's JSON, in the order of its steps.
pub(crate) fn counts(report: &serde_json::Value) -> Result<Vec<u64>> {
    let steps = report["steps"].as_array().context("a funnel has steps")?;
    steps.iter().map(|step| step["count"].as_u64().context("a step has a count")).collect()
}
