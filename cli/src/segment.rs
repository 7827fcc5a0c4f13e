//! `footfall segment`

use ::segment::Rule;
use analytics::query::{Limits, Table};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::json;
use wire::SiteName;

use crate::database::DatabaseArguments;
use crate::output::Format;

#[derive(Args)]
pub(crate) struct Segment {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// How many visitors the rule means
    Count(Meant),
    /// Their ids
    Members(Members),
}

#[derive(Args)]
struct Members {
    #[command(flatten)]
    meant: Meant,
    /// How many ids at most
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=Limits::ROWS))]
    limit: u64,
}

#[derive(Args)]
struct Meant {
    /// The site asked about
    #[arg(long, value_name = "NAME")]
    site: SiteName,
    /// Who is meant: 'did add_to_cart and not did purchase in last 30 days'
    #[arg(long, value_name = "RULE")]
    rule: Rule,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    database: DatabaseArguments,
}

impl Meant {
    fn question(&self) -> analytics::segment::Segment {
        let (site, rule) = (self.site.clone(), self.rule.clone());
        analytics::segment::Segment { site, rule, now: Timestamp::now() }
    }
}

impl Segment {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.what {
            What::Count(meant) => {
                let store = meant.database.open_for(&meant.site).await?;
                let report = meant.question().ask(&store.server).await?;
                meant.format.print(&report, &report.table())?;
                Ok(store.close().await?)
            }
            What::Members(Members { meant, limit }) => {
                let store = meant.database.open_for(&meant.site).await?;
                let members = meant.question().members(&store.server, limit).await?;
                let rows = members.iter().map(|id| vec![id.to_string()]).collect();
                let table = Table { columns: vec!["visitor_id"], rows };
                meant.format.print(&json!({ "members": members }), &table)?;
                Ok(store.close().await?)
            }
        }
    }
}
