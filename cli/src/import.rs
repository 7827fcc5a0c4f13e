//! `footfall import`

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use collector::import::{Map, import_events};
use indicatif::{ProgressBar, ProgressStyle};
use wire::SiteName;

use crate::database::DatabaseArguments;
use crate::output;

#[derive(Args)]
pub(crate) struct Import {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Load events from a CSV file, plain or gzip; the same file twice adds nothing
    Events(Events),
}

#[derive(Args)]
struct Events {
    /// The file
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Which column means what, as TOML (docs/OPERATING.md)
    #[arg(long, value_name = "FILE")]
    map: PathBuf,
    /// The site the events belong to; make it first with `footfall site add`
    #[arg(long, value_name = "NAME")]
    site: SiteName,
    #[command(flatten)]
    database: DatabaseArguments,
}

impl Import {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let What::Events(events) = self.what;
        events.run().await
    }
}

impl Events {
    async fn run(self) -> anyhow::Result<()> {
        let map = std::fs::read_to_string(&self.map)
            .with_context(|| format!("cannot read the map {}", self.map.display()))?;
        let map: Map = map.parse().with_context(|| format!("in {}", self.map.display()))?;
        let input = File::open(&self.from)
            .with_context(|| format!("cannot read the events {}", self.from.display()))?;
        let bar = ProgressBar::no_length()
            .with_style(ProgressStyle::with_template("{spinner} {human_pos} rows  {per_sec}")?);
        let store = self.database.open_migrated().await?;
        let progress = |rows| bar.set_position(rows);
        let imported =
            import_events(BufReader::new(input), &map, &self.site, &store.server, progress).await?;
        bar.finish_and_clear();
        output::print(imported)?;
        Ok(store.close().await?)
    }
}
