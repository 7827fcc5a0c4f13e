//! `footfall site`

use std::num::NonZeroU64;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use store::site::{
    CategoryRule, Currency, Exclusion, Origin, PageHost, PlaceDetail, Site, SiteSettings, Visitors,
};
use wire::SiteName;

use crate::database::DatabaseArguments;
use crate::output;
use crate::site_flag::{SiteFlag, taken_away};
use crate::site_tracker::{self, TrackerArguments};

#[derive(Args)]
pub(crate) struct SiteCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a site, or change its settings, and print its tag
    ///
    /// What is given is the whole: what the site had and is not given again is taken away, and told.
    Add(Box<Add>),
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
    /// A host whose pages are the site's, with all under it, for example `shop.example`, or `*` for any; may
    /// be repeated. Not given: those of the origins and domains. Events of other pages are left out
    #[arg(long, value_name = "HOST")]
    host: Vec<PageHost>,
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
    #[command(flatten)]
    tracker: TrackerArguments,
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
            hosts: self.host,
            exclude: self.exclude,
            events_per_day: self.events_per_day,
            keep_referrer_spam: self.keep_referrer_spam,
            visitors: self.visitors,
            place: self.place,
            categories: self.category,
            currency: self.currency,
            tracker: self.tracker.settings(),
        };
        let site = Site { name: self.name, settings };
        let before = store::site::find(&store.server, &site.name).await?;
        store::site::add(&store.server, &site, Timestamp::now().as_millisecond()).await?;
        if let Some(before) = before {
            tell_taken_away(&before.settings, &site.settings);
        }
        let path = match &site.settings.tracker.script_path {
            Some(path) => path.to_string(),
            None => format!("/s/{}.js", site.name),
        };
        let source = format_args!("{}{path}", self.collector_url);
        output::line(format_args!(r#"<script async src="{source}"></script>"#))?;
        Ok(store.close().await?)
    }
}

/// Nobody shall lose a setting without knowing it, who only wanted to add an origin.
fn tell_taken_away(before: &SiteSettings, now: &SiteSettings) {
    let gone = taken_away(before, now);
    for flag in &gone {
        eprintln!("taken away: {flag}");
    }
    if !gone.is_empty() {
        eprintln!("what is given is the whole: give these again beside the others to keep them");
    }
}

impl List {
    async fn run(self) -> anyhow::Result<()> {
        let store = self.database.open_migrated().await?;
        for site in store::site::list(&store.server).await? {
            let settings = site.settings;
            let mut columns = vec![
                site.name.to_string(),
                listed(&settings.origins),
                listed(&settings.exclude),
                format!("place={}", settings.place.as_str()),
                listed(&settings.categories),
                format!("visitors={}", settings.visitors),
            ];
            let hosts = &settings.hosts;
            columns.extend((!hosts.is_empty()).then(|| format!("hosts={}", listed(hosts))));
            columns.extend(settings.currency.map(|currency| format!("currency={currency}")));
            columns
                .extend(settings.events_per_day.map(|events| format!("events-per-day={events}")));
            columns.extend(settings.keep_referrer_spam.then(|| "keep-referrer-spam".to_owned()));
            columns.extend(site_tracker::flags(&settings.tracker).iter().map(SiteFlag::column));
            output::line(columns.join("\t"))?;
        }
        Ok(store.close().await?)
    }
}

fn listed<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
