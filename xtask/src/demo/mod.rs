//! `cargo xtask demo`: the whole way from a script tag to an audience file, on real traffic.
//!
//! It goes the way a user goes: everything is done with the built programs, and what is printed is
//! what they printed. Whatever is missing or differs from what the visitors did is an error.

mod clickstream;
mod house;
mod people;
mod shop;

use anyhow::Result;

use self::house::House;
use crate::fetch;
use crate::{build, test};

#[derive(clap::Args)]
pub(crate) struct Demo {
    /// Do the same and exit instead of staying up, with an error if anything is missing
    #[arg(long)]
    once: bool,
}

impl Demo {
    pub(crate) fn run(self) -> Result<()> {
        let fetched = fetch::fetch()?;
        let browser = test::browser()?;
        build::assets(&fetched)?;
        build::programs(true)?;
        let house = House::start(&fetched)?;
        heading("A site, and its tag");
        println!("{}", house.tag);
        heading("Ten visitors walk the example shop in a real browser");
        let walked = shop::walk(&house, &browser)?;
        shop::report(&house, &walked)?;
        heading("Who they are, and who may leave");
        people::report(&house, &walked)?;
        heading("A real shop's events, loaded from a file");
        clickstream::report(&house)?;
        house.addresses()?;
        if self.once { house.stop() } else { house.stay() }
    }
}

fn heading(text: &str) {
    println!("\n== {text}\n");
}
