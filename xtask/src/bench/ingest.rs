//! `cargo xtask bench ingest`: floor and collector in turn, one core each, medians of several runs;
//! then the collector with ClickHouse taking the rows.

use anyhow::{Context, Result, ensure};

use super::load::{Load, Measured};
use super::report::{Pair, Report};
use super::server::{NOWHERE, Server};
use super::sustained;
use crate::fetch::{self, Fetched};
use crate::{build, place, program};

/// Events of one request where they come in batches.
pub(super) const BATCH: u32 = 50;

#[derive(clap::Args)]
pub(crate) struct Ingest {
    /// Print the result as one line of JSON after the table
    #[arg(long)]
    json: bool,
    /// How often each measurement is made; the median counts
    #[arg(long, default_value_t = 3, value_name = "COUNT")]
    runs: usize,
    /// Seconds of one measurement, after one second of warm-up
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Cargo's profile of the programs; dist is what is shipped
    #[arg(long, default_value = "dist", value_parser = ["dist", "release"])]
    profile: String,
    /// Measure the programs as they were last built
    #[arg(long)]
    as_built: bool,
    /// Leave out the part with ClickHouse
    #[arg(long)]
    without_clickhouse: bool,
}

/// One side of one run.
#[derive(Clone, Debug)]
pub(super) struct Side {
    pub(super) measured: Measured,
    pub(super) cpu_s_per_million: f64,
    pub(super) memory_max_mb: f64,
}

impl Ingest {
    pub(crate) fn run(self) -> Result<()> {
        let cores = std::thread::available_parallelism()?.get();
        ensure!(cores > 1, "the bench needs two cores, one for each side");
        let fetched = fetch::fetch()?;
        if !self.as_built {
            build::assets(&fetched)?;
            self.programs()?;
        }
        let mut report = Report::default();
        for run in 1..=self.runs.max(1) {
            println!("run {run} of {}", self.runs);
            report.singles.push(self.pair(1, &fetched)?);
            report.batches.push(self.pair(BATCH, &fetched)?);
        }
        print!("{report}");
        if !self.without_clickhouse {
            super::core::stay_anywhere(cores)?;
            for events_per_request in [1, BATCH] {
                let floor = report.floor(events_per_request).context("there was a run")?;
                let load = Load {
                    events_per_request,
                    seconds: 6.0 * self.seconds,
                    rate: Some(floor / 4.0),
                };
                let sustained = sustained::run(&self.profile, load, &fetched, cores)?;
                print!("{sustained}");
                report.sustained.push(sustained);
            }
        }
        if self.json {
            println!("{}", report.json());
        }
        Ok(())
    }

    /// The collector as it is shipped; the floor as any program is compiled.
    fn programs(&self) -> Result<()> {
        let mut cargo = program::cargo();
        cargo.args(["build", "--locked", "--profile", &self.profile, "-p", "footfall-bench"]);
        if self.profile == "dist" {
            build::guided::build()?;
        } else {
            cargo.args(["-p", "footfall"]);
        }
        program::run(&mut cargo)
    }

    fn pair(&self, events_per_request: u32, fetched: &Fetched) -> Result<Pair> {
        let load = Load { events_per_request, seconds: self.seconds, rate: None };
        let floor = Server::floor(&self.profile)?;
        let floor = self.side(load, floor)?;
        let data_dir = place::target().join("bench");
        let collector = Server::collector(&self.profile, NOWHERE, &data_dir, &fetched.geo_file)?;
        let collector = self.side(load, collector)?;
        std::fs::remove_dir_all(data_dir)?;
        Ok(Pair { floor, collector })
    }

    fn side(&self, load: Load, server: Server) -> Result<Side> {
        let before = server.cpu_seconds()?;
        let measured = load.run(&self.profile, &server.address)?;
        let cpu = server.cpu_seconds()? - before;
        let memory_max_mb = server.memory_max_mb()?;
        server.kill()?;
        let cpu_s_per_million = cpu / measured.events_sent as f64 * 1e6;
        Ok(Side { measured, cpu_s_per_million, memory_max_mb })
    }
}
