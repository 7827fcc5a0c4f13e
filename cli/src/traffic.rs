//! `footfall traffic`

use analytics::traffic::{
    Countries, Interval, LIMIT_DEFAULT, LIMIT_MAX, TopPages, VisitorsOverTime,
};
use clap::{Args, Subcommand};

use crate::asked::Asked;

#[derive(Args)]
pub(crate) struct Traffic {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Visitors, sessions and page views over time
    Visitors(Visitors),
    /// The pages most seen
    Pages(Ranked),
    /// Where visitors come from
    Countries(Ranked),
}

#[derive(Args)]
struct Visitors {
    #[command(flatten)]
    asked: Asked,
    /// How long one row is: hour, day, week or month [default: by the range]
    #[arg(long, value_name = "INTERVAL")]
    interval: Option<Interval>,
}

#[derive(Args)]
struct Ranked {
    #[command(flatten)]
    asked: Asked,
    /// How many rows at most
    #[arg(long, default_value_t = LIMIT_DEFAULT, value_parser = limit())]
    limit: u32,
}

fn limit() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=i64::from(LIMIT_MAX))
}

impl Traffic {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.what {
            What::Visitors(command) => command.run().await,
            What::Pages(command) => command.pages().await,
            What::Countries(command) => command.countries().await,
        }
    }
}

impl Visitors {
    async fn run(self) -> anyhow::Result<()> {
        let Self { asked, interval } = self;
        let (site, range, filter) = asked.scope()?;
        let store = asked.open().await?;
        let report = VisitorsOverTime { site, range, interval, filter }.ask(&store.server).await?;
        asked.format.print(&report, &report.table())?;
        Ok(store.close().await?)
    }
}

impl Ranked {
    async fn pages(self) -> anyhow::Result<()> {
        let Self { asked, limit } = self;
        let (site, range, filter) = asked.scope()?;
        let store = asked.open().await?;
        let report = TopPages { site, range, limit, filter }.ask(&store.server).await?;
        asked.format.print(&report, &report.table())?;
        Ok(store.close().await?)
    }

    async fn countries(self) -> anyhow::Result<()> {
        let Self { asked, limit } = self;
        let (site, range, filter) = asked.scope()?;
        let store = asked.open().await?;
        let report = Countries { site, range, limit, filter }.ask(&store.server).await?;
        asked.format.print(&report, &report.table())?;
        Ok(store.close().await?)
    }
}
