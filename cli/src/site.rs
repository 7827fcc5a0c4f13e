//! `footfall site`

use std::num::NonZeroU64;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use store::site::{Exclusion, Origin, Site, SiteSettings, Visitors};
use wire::SiteName;

use crate::database::DatabaseArguments;

#[derive(Args)]
pub(crate) struct SiteCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a site, or change its origins, exclusions and limits, and print its tag
    Add(Add),
    /// List the sites with their origins, exclusions and limits
    List(List),
}

#[derive(Args)]
struct Add {
    /// Lower-case letters, digits and inner hyphens, for example my-shop
    name: SiteName,
    /// Where the site's pages are served from, for example `https://shop.example`; may be repeated
    #[arg(long, required = true, value_name = "URL")]
    origin: Vec<Origin>,
    /// Events to leave out: network=CIDR, country=XX, host=NAME, path=/PREFIX, referrer=HOST or
    /// user-agent=TEXT; may be repeated. What is not given is no longer excluded
    #[arg(long, value_name = "KIND=WHAT")]
    exclude: Vec<Exclusion>,
    /// Events the site may have in a day (UTC); further ones are refused until midnight. Not given: any number
    #[arg(long, value_name = "COUNT")]
    events_per_day: Option<NonZeroU64>,
    /// Take visits too whose referrer is on the list of spammers' domains
    #[arg(long)]
    keep_referrer_spam: bool,
    /// Whose id visitors go by: kept (their browser's), cookieless (one the collector makes for a day, and
    /// none that is sent) or either (the collector's where a browser sends none)
    #[arg(long, value_name = "HOW", default_value_t)]
    visitors: Visitors,
    /// Where browsers reach the collector; stands in the tag
    #[arg(
        long,
        env = "FOOTFALL_COLLECTOR_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:4400"
    )]
    collector_url: Origin,
    #[command(flatten)]
    database: DatabaseArguments,
}

#[derive(Args)]
struct List {
    #[command(flatten)]
    database: DatabaseArguments,
}

impl SiteCommand {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Add(add) => add.run().await,
            Action::List(list) => list.run().await,
        }
    }
}

impl Add {
    async fn run(self) -> anyhow::Result<()> {
        let store = self.database.open_migrated().await?;
        let settings = SiteSettings {
            origins: self.origin,
            exclude: self.exclude,
            events_per_day: self.events_per_day,
            keep_referrer_spam: self.keep_referrer_spam,
            visitors: self.visitors,
        };
        let site = Site { name: self.name, settings };
        store::site::add(&store.server, &site, Timestamp::now().as_millisecond()).await?;
        println!(r#"<script async src="{}/s/{}.js"></script>"#, self.collector_url, site.name);
        Ok(store.close().await?)
    }
}

impl List {
    async fn run(self) -> anyhow::Result<()> {
        let store = self.database.open_migrated().await?;
        for site in store::site::list(&store.server).await? {
            let origins: Vec<String> =
                site.settings.origins.iter().map(ToString::to_string).collect();
            let exclude: Vec<String> =
                site.settings.exclude.iter().map(ToString::to_string).collect();
            let limits: Vec<String> = site
                .settings
                .events_per_day
                .map(|events| format!("events-per-day={events}"))
                .into_iter()
                .chain(site.settings.keep_referrer_spam.then(|| "keep-referrer-spam".to_owned()))
                .collect();
            let visitors = site.settings.visitors;
            let (origins, exclude) = (origins.join(" "), exclude.join(" "));
            println!("{}\t{origins}\t{exclude}\t{}\t{visitors}", site.name, limits.join(" "));
        }
        Ok(store.close().await?)
    }
}
