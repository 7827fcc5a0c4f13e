//! `footfall site`

use clap::{Args, Subcommand};
use jiff::Timestamp;
use store::site::{CategoryRule, Currency, Exclusion, Origin, PlaceDetail, Site, SiteSettings};
use wire::SiteName;

use crate::database::DatabaseArguments;

#[derive(Args)]
pub(crate) struct SiteCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a site, or change its settings, and print its tag
    Add(Add),
    /// List the sites with their settings
    List(List),
}

#[derive(Args)]
struct Add {
    /// Lower-case letters, digits and inner hyphens, for example my-shop
    name: SiteName,
    /// Where the site's pages are served from, for example `https://shop.example`; may be repeated
    #[arg(long, required = true, value_name = "URL")]
    origin: Vec<Origin>,
    /// Events to leave out: network=CIDR, country=XX, host=NAME, path=/PREFIX or user-agent=TEXT; may be
    /// repeated. What is not given is no longer excluded
    #[arg(long, value_name = "KIND=WHAT")]
    exclude: Vec<Exclusion>,
    /// How much is kept of where visitors are
    #[arg(long, value_enum, default_value_t, value_name = "DETAIL")]
    place: PlaceDetail,
    /// What pages are about where an event does not say it, for example `/coffee/*=Drinks/Coffee`; may be
    /// repeated, and the first that fits holds
    #[arg(long, value_name = "PATH=CATEGORY")]
    category: Vec<CategoryRule>,
    /// The money in which values are reported, for example EUR; converting needs the collector's
    /// `--currency-file`
    #[arg(long, value_name = "ISO 4217")]
    currency: Option<Currency>,
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
            place: self.place,
            categories: self.category,
            currency: self.currency,
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
            let SiteSettings { origins, exclude, place, categories, currency } = site.settings;
            println!(
                "{}\t{}\t{}\tplace={}\t{}\t{}",
                site.name,
                listed(&origins),
                listed(&exclude),
                place.as_str(),
                listed(&categories),
                currency.map(|currency| format!("currency={currency}")).unwrap_or_default(),
            );
        }
        Ok(store.close().await?)
    }
}

fn listed<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
