//! `footfall interests`

use std::time::Duration;

use analytics::interest::{LIMIT_DEFAULT, LIMIT_MAX};
use analytics::query::parse_duration;
use clap::Args;
use jiff::Timestamp;

use crate::asked::Asked;

#[derive(Args)]
pub(crate) struct Interests {
    #[command(flatten)]
    asked: Asked,
    /// How long ago a page view weighs half
    #[arg(long, default_value = "30d", value_name = "DURATION", value_parser = parse_duration)]
    half_life: Duration,
    /// Of this visitor only, by id
    #[arg(long, value_name = "UUID")]
    visitor: Option<uuid::Uuid>,
    /// How many rows at most
    #[arg(long, default_value_t = LIMIT_DEFAULT, value_parser = limit())]
    limit: u32,
}

fn limit() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=i64::from(LIMIT_MAX))
}

impl Interests {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let (site, range, filter) = self.asked.scope()?;
        let question = analytics::interest::Interests {
            site,
            visitor: self.visitor,
            half_life: self.half_life,
            limit: self.limit,
            now: Timestamp::now(),
            range,
            filter,
        };
        let store = self.asked.open().await?;
        let report = question.ask(&store.server).await?;
        self.asked.format.print(&report, &report.table())?;
        Ok(store.close().await?)
    }
}
