//! A real shop's events (`FOOTFALL_REFERENCE_DATA`/clickstream), whose funnels are known.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::house::House;
use super::shop::counts;
use crate::place;

const SITE: &str = "clickstream";

pub(crate) fn report(house: &House) -> Result<()> {
    let Some(data) = place::reference_data() else {
        println!("not run: no reference data (FOOTFALL_REFERENCE_DATA names its folder)");
        return Ok(());
    };
    let folder = data.join("clickstream");
    let reference = std::fs::read_to_string(folder.join("reference.json"))?;
    let reference: Value = serde_json::from_str(&reference)?;
    house.footfall(&["site", "add", SITE, "--origin", "https://shop.example"])?;
    let events = folder.join("events.csv.gz");
    let map = place::root().join("examples/import/clickstream.toml");
    let [events, map] = [&events, &map].map(|path| path.to_str().context("a path in UTF-8"));
    house.show(&["import", "events", "--from", events?, "--map", map?, "--site", SITE])?;
    println!("\n{:<8} {:>40}   reference", "window", "counted, by user");
    for (window, seconds) in [("none", "None"), ("30m", "1800"), ("1d", "86400")] {
        let truth = &reference[format!("user_id|window={seconds}")]["clickhouse_windowFunnel"];
        let truth: Vec<u64> = serde_json::from_value(truth.clone())?;
        let counted = funnel(house, window, &reference)?;
        println!("{window:<8} {:>40}   {truth:?}", format!("{counted:?}"));
        ensure!(counted == truth, "the funnel with window {window} is not the reference's");
    }
    Ok(())
}

fn funnel(house: &House, window: &str, reference: &Value) -> Result<Vec<u64>> {
    let mut asked = vec!["funnel", "--site", SITE, "--from", "all", "--window", window];
    for step in reference["steps"].as_array().context("steps")? {
        asked.extend(["--step", step.as_str().context("a step is a text")?]);
    }
    counts(&house.json(&asked)?)
}
