//! `cargo xtask bench`: how fast, beside a floor measured in the same run.

mod core;
mod http;
mod ingest;
mod load;
mod page;
mod profile;
mod report;
mod server;
mod sustained;

use anyhow::Result;

#[derive(clap::Subcommand)]
pub(crate) enum Bench {
    /// How fast the collector takes events in, beside a bare server that only reads and parses them
    Ingest(ingest::Ingest),
    /// What the tracker costs a page, beside others' trackers and none
    Page(page::Page),
    /// Count what the collector goes through under load: what is shipped is compiled by it
    Profile(profile::Profile),
}

impl Bench {
    pub(crate) fn run(self) -> Result<()> {
        match self {
            Self::Ingest(command) => command.run(),
            Self::Page(command) => command.run(),
            Self::Profile(command) => command.run(),
        }
    }
}
