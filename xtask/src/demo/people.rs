//! What the visitors are interested in, where they are, and an audience that leaves.

use anyhow::{Context, Result, ensure};

use super::house::{House, SITE};
use super::shop::Walked;

const RULE: &str = "did add_to_cart and not did purchase";

pub(crate) fn report(house: &House, walked: &Walked) -> Result<()> {
    let interests = house.show(&["interests", "--site", SITE])?;
    ensure!(interests.lines().count() > 3, "no interests were found");
    let countries = house.json(&["traffic", "countries", "--site", SITE])?;
    let known = countries["countries"].as_array().context("countries")?;
    ensure!(
        known.iter().filter(|row| row["country"] != "").count() > 1,
        "the visitors' countries were not found"
    );
    house.show(&["traffic", "countries", "--site", SITE])?;
    house.show(&["segment", "count", "--site", SITE, "--rule", RULE])?;
    audience(house, walked)
}

/// Everyone who agreed to ads: how many leave is known from the walk.
fn audience(house: &House, walked: &Walked) -> Result<()> {
    let rule = ["--rule", "did add_to_cart", "--size-min", "1"];
    let export = ["audience", "export", "--site", SITE, "--destination", "google"];
    let file = house.show(&[&export[..], &rule[..]].concat())?;
    let rows = file.lines().count() as u64 - 1;
    ensure!(rows == walked.consenting, "{rows} people left, {} agreed", walked.consenting);
    println!(
        "Of {} visitors the {rows} who agreed to personalised ads leave, hashed.",
        walked.visitors
    );
    Ok(())
}
