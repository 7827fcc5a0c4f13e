//! What every question is asked with.

use analytics::query::Range;
use clap::Args;
use jiff::Timestamp;
use wire::SiteName;

use crate::database::DatabaseArguments;
use crate::output::Format;

#[derive(Args)]
pub(crate) struct Asked {
    /// The site asked about
    #[arg(long, value_name = "NAME")]
    pub(crate) site: SiteName,
    /// From when: a date, an RFC 3339 time, or how long ago (30d); all for everything [default: 30d]
    #[arg(long, value_name = "WHEN")]
    from: Option<String>,
    /// Until when, in the same forms [default: now]
    #[arg(long, value_name = "WHEN")]
    to: Option<String>,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) database: DatabaseArguments,
}

impl Asked {
    pub(crate) fn range(&self) -> anyhow::Result<Range> {
        Ok(Range::parse(self.from.as_deref(), self.to.as_deref(), Timestamp::now())?)
    }
}
