//! `footfall link`: an address of the collector's that leads to a page and counts who follows it.

use std::path::PathBuf;

use clap::Args;
use collector::link::{Campaign, Link, LinkKey, Target};
use store::site::Origin;
use wire::SiteName;

use crate::database::DatabaseArguments;
use crate::output;

#[derive(Args)]
pub(crate) struct LinkCommand {
    /// Whose events the clicks are
    #[arg(long)]
    site: SiteName,
    /// The page it leads to: a whole address with https:// or http://
    #[arg(long, value_name = "URL")]
    to: String,
    /// Tells its clicks from those of other links, for example newsletter-7
    #[arg(long, default_value = "", hide_default_value = true)]
    name: String,
    /// Put into the page's address as `utm_source`
    #[arg(long)]
    source: Option<String>,
    /// Put into the page's address as `utm_medium`
    #[arg(long)]
    medium: Option<String>,
    /// Put into the page's address as `utm_campaign`
    #[arg(long)]
    campaign: Option<String>,
    /// Where browsers reach the collector
    #[arg(
        long,
        env = "FOOTFALL_COLLECTOR_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:4400"
    )]
    collector_url: Origin,
    /// The collector's `--link-key-file` [default: `link.key` in the data folder, made where it is missing]
    #[arg(long, env = "FOOTFALL_LINK_KEY_FILE", value_name = "FILE")]
    link_key_file: Option<PathBuf>,
    #[command(flatten)]
    database: DatabaseArguments,
}

impl LinkCommand {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let campaign = Campaign {
            source: self.source.as_deref(),
            medium: self.medium.as_deref(),
            campaign: self.campaign.as_deref(),
        };
        let target = Target::new(&self.to)?.with_campaign(campaign)?;
        let data_dir = self.database.data_dir()?;
        // A misspelt one would lead everybody on and count nobody.
        if collector::knows_site(&data_dir, &self.site) == Some(false) {
            eprintln!(
                "warning: the collector knows no site {0}, and counts no click of this link until there is one: \
                 `footfall site list` shows those there are, `footfall site add {0} --origin URL` makes it",
                self.site
            );
        }
        let link = Link::new(self.site, target, &self.name)?;
        let key = LinkKey::open(self.link_key_file.as_deref(), &data_dir)?;
        output::line(format_args!("{}{}", self.collector_url, link.path(&key)))
    }
}
