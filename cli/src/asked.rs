//! What every question is asked with.

use analytics::query::{Filter, Range};
use clap::Args;
use jiff::Timestamp;
use wire::SiteName;

use crate::database::DatabaseArguments;
use crate::output::Format;

#[derive(Args)]
pub(crate) struct Asked {
    /// The site asked about
    #[arg(long, value_name = "NAME")]
    site: SiteName,
    /// From when: a date, an RFC 3339 time, or how long ago (30d); all for everything [default: 30d]
    #[arg(long, value_name = "WHEN")]
    from: Option<String>,
    /// Until when, in the same forms [default: now]
    #[arg(long, value_name = "WHEN")]
    to: Option<String>,
    /// Only events of which this holds: 'device = "mobile" and country in ("HR", "SI")'
    #[arg(long = "where", value_name = "CONDITION", default_value_t)]
    filter: Filter,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    #[command(flatten)]
    database: DatabaseArguments,
}

impl Asked {
    /// Which events are asked about.
    pub(crate) fn scope(&self) -> anyhow::Result<(SiteName, Range, Filter)> {
        let range = Range::parse(self.from.as_deref(), self.to.as_deref(), Timestamp::now())?;
        Ok((self.site.clone(), range, self.filter.clone()))
    }

    /// Opens the store, where there is such a site.
    pub(crate) async fn open(&self) -> anyhow::Result<store::Store> {
        self.database.open_for(&self.site).await
    }
}
