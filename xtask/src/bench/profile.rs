//! `cargo xtask bench profile`: counts what the collector goes through under load, for builds that are shipped.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::ingest::BATCH;
use super::load::Load;
use super::sustained;
use crate::build::{self, guided};
use crate::fetch;
use crate::{place, program};

#[derive(clap::Args)]
pub(crate) struct Profile {
    /// Seconds of each load, after one second of warm-up
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
}

impl Profile {
    pub(crate) fn run(self) -> Result<()> {
        let cores = std::thread::available_parallelism()?.get();
        ensure!(cores > 1, "the load needs a core beside the server's");
        let fetched = fetch::fetch()?;
        build::assets(&fetched)?;
        let adder = guided::adder()?;
        let counts = place::target().join("counting/counts");
        if counts.exists() {
            fs::remove_dir_all(&counts)?;
        }
        let built = guided::build_counting(&counts)?;
        // Not in the same build: with the features it wants, other functions would be counted than are shipped.
        let mut load = program::cargo();
        load.args(["build", "--locked", "--profile", "dist", "-p", "footfall-bench"]);
        program::run(&mut load)?;
        fs::copy(place::built("dist", "bench-load"), place::built(&built, "bench-load"))?;
        for events_per_request in [1, BATCH] {
            let load = Load { events_per_request, seconds: self.seconds, rate: None };
            super::core::stay_anywhere(cores)?;
            sustained::run(&built, load, &fetched, cores)?;
        }

        let mut add = Command::new(adder);
        add.args(["merge", "--sparse", "--output"]).arg(guided::profile());
        for counted in fs::read_dir(&counts).context("nothing was counted")? {
            add.arg(counted?.path());
        }
        program::run(&mut add)?;
        println!("wrote {}", guided::profile().display());
        Ok(())
    }
}
