//! What `cargo xtask` can be told: one subcommand a file.

use clap::{Parser, Subcommand};

/// What cargo cannot say: build the tracker, fetch the engine, run the demo, the tests, the sizes.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Fetch what is not on crates.io into the cache: the engine, wasm-opt, page scripts, places
    Fetch(crate::fetch::Fetch),
    /// Build the tracker and the programs
    Build(crate::build::Build),
    /// Run everything on real traffic, and say where to look
    Demo(crate::demo::Demo),
    /// Run every check and every test
    Test(crate::test::Test),
    /// Print the sizes of what is shipped and the time it takes to build
    Size(crate::size::Size),
    /// Measure how fast it is, beside a floor
    #[command(subcommand)]
    Bench(crate::bench::Bench),
    /// Run a ClickHouse for `cargo test`, until stopped
    Clickhouse(crate::clickhouse::Clickhouse),
    /// Become another program that ends with the one that started it
    #[command(hide = true)]
    Guard(crate::guard::Guard),
}

impl Arguments {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Fetch(command) => command.run(),
            Command::Build(command) => command.run(),
            Command::Demo(command) => command.run(),
            Command::Test(command) => command.run(),
            Command::Size(command) => command.run(),
            Command::Bench(command) => command.run(),
            Command::Clickhouse(command) => command.run(),
            Command::Guard(command) => command.run(),
        }
    }
}
