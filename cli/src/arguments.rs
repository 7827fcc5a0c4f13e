//! What the program can be told: one subcommand a file.

use clap::{Parser, Subcommand};

use crate::log::LogArguments;

/// Customer intelligence that a company runs itself: one program, ClickHouse under it.
#[derive(Parser)]
#[command(name = "footfall", version, about, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) log: LogArguments,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run everything: ClickHouse, the collector, the dashboard and its API
    Up(crate::up::Up),
    /// Run the collector alone
    Collect(crate::collect::Collect),
    /// Run the dashboard and its API alone
    Serve(crate::serve::Serve),
    /// Bring the tables to this release's shape
    Migrate(crate::migrate::Migrate),
    /// Make a site and print its tag, or list the sites
    Site(crate::site::SiteCommand),
    /// Open a page as a visitor would, and say whether it is measured and what to mend
    Doctor(crate::doctor::Doctor),
    /// Print a link that leads to a page and counts who follows it
    Link(crate::link::LinkCommand),
    /// Load events from a file
    Import(crate::import::Import),
    /// Tell what visits are taken for: place, device, bot, source and channel
    Explain(crate::explain::Explain),
    /// Rows that ClickHouse refused and events left out: list, mend, put in after all
    DeadLetters(crate::dead_letters::DeadLettersCommand),
    /// Visitors over time, top pages, countries
    Traffic(crate::traffic::Traffic),
    /// How many went how far, and where they left
    Funnel(crate::funnel::Funnel),
    /// What visitors are interested in now
    Interests(crate::interests::Interests),
    /// Visitors chosen by a rule
    Segment(crate::segment::Segment),
    /// Send a segment's people to an ad platform
    Audience(crate::audience::Audience),
    /// Keep a person from ever leaving
    Privacy(crate::privacy::Privacy),
    /// Run the embedded ClickHouse alone, until stopped
    Clickhouse(crate::clickhouse::Clickhouse),
    /// The child process the embedded ClickHouse lives in
    #[command(hide = true)]
    Engine(store::embedded::EngineArgs),
}

impl Command {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        if let Self::Engine(arguments) = self {
            // Before any runtime or thread of ours exists: the engine brings its own.
            return Ok(store::embedded::run_engine(&arguments)?);
        }
        tokio::runtime::Runtime::new()?.block_on(self.run_async())
    }

    async fn run_async(self) -> anyhow::Result<()> {
        match self {
            Self::Up(command) => command.run().await,
            Self::Collect(command) => command.run().await,
            Self::Serve(command) => command.run().await,
            Self::Migrate(command) => command.run().await,
            Self::Site(command) => command.run().await,
            Self::Doctor(command) => command.run().await,
            Self::Link(command) => command.run(),
            Self::Import(command) => command.run().await,
            Self::Explain(command) => command.run(),
            Self::DeadLetters(command) => command.run().await,
            Self::Traffic(command) => command.run().await,
            Self::Funnel(command) => command.run().await,
            Self::Interests(command) => command.run().await,
            Self::Segment(command) => command.run().await,
            Self::Audience(command) => command.run().await,
            Self::Privacy(command) => command.run().await,
            Self::Clickhouse(command) => command.run().await,
            Self::Engine(arguments) => Ok(store::embedded::run_engine(&arguments)?),
        }
    }
}
