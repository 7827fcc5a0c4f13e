//! Sites: who may send events, kept with every version that ever was.

use std::num::NonZeroU64;

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use wire::SiteName;

pub use crate::category_rule::{CategoryRule, CategoryRuleError};
pub use crate::currency::{Currency, CurrencyError};
pub use crate::exclusion::{Exclusion, ExclusionError};
pub use crate::origin::{Origin, OriginError};
pub use crate::page_host::{PageHost, PageHostError};
pub use crate::tracker::{
    BeforeConsent, ConsentDefault, ConsentError, ConsentRule, PagePath, PagePathError,
    SiteTimeZone, SiteTimeZoneError, TRACKER_LIST_MAX, TrackerError, TrackerSettings, Word,
    WordError,
};
pub use crate::visitors::{Visitors, VisitorsError};

use crate::event_row::DefinitionRow;
use crate::server::{QUESTION_TIMEOUT, Server, ServerError};
use crate::sql;

/// Origins of one site.
pub const ORIGINS_MAX: usize = 100;

/// Hosts of one site's pages.
pub const HOSTS_MAX: usize = 100;

/// Exclusions of one site.
pub const EXCLUSIONS_MAX: usize = 100;

/// Category rules of one site.
pub const CATEGORY_RULES_MAX: usize = 100;

/// Versions of one site that [`versions`] gives: the newest.
pub const VERSIONS_MAX: u32 = 1_000;

/// Sites of one database: [`list`] gives no more.
pub const SITES_MAX: u32 = 10_000;

/// A site that may send events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// As in its tag.
    pub name: SiteName,
    /// All else.
    #[serde(flatten)]
    pub settings: SiteSettings,
}

/// What holds for a site. A field that a definition lacks has its default: the definition is older.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteSettings {
    /// The pages it has: a browser's events are taken from these origins only.
    pub origins: Vec<Origin>,
    /// Of which hosts its pages are, each with all under it: of others no event is taken. Empty: of those of
    /// its origins and domains, and of any where it has neither.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<PageHost>,
    /// What is not wanted of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<Exclusion>,
    /// Events it may have in a day (UTC); `None`: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_per_day: Option<NonZeroU64>,
    /// Whether visits that come from a known spammer's domain are taken all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_referrer_spam: bool,
    /// Whose id its visitors go by.
    #[serde(default, skip_serializing_if = "Visitors::is_default")]
    pub visitors: Visitors,
    /// How much is kept of where a visitor is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub place: PlaceDetail,
    /// What its pages are about, where an event does not say it; the first that fits holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<CategoryRule>,
    /// In which money its values are reported; none is converted without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// How its pages are measured.
    #[serde(flatten)]
    pub tracker: TrackerSettings,
}

/// How much is kept of where a visitor is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum PlaceDetail {
    /// Country, region and city.
    #[default]
    City,
    /// Country and region.
    Region,
    /// The country.
    Country,
    /// Nothing.
    None,
}

impl PlaceDetail {
    /// As it is written in a definition and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::Region => "region",
            Self::Country => "country",
            Self::None => "none",
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What [`add`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// There was no site of this name.
    New,
    /// The site was there, with other settings.
    Changed,
    /// The site was there, just so.
    Unchanged,
}

/// Why a site was not added.
#[derive(Debug, Error)]
pub enum SiteError {
    /// More than [`ORIGINS_MAX`].
    #[error("the site {name} has {count} origins; at most {ORIGINS_MAX} are kept")]
    TooManyOrigins {
        /// The site.
        name: SiteName,
        /// How many it has.
        count: usize,
    },
    /// More than [`HOSTS_MAX`].
    #[error("the site {name} has {count} hosts; at most {HOSTS_MAX} are kept")]
    TooManyHosts {
        /// The site.
        name: SiteName,
        /// How many it has.
        count: usize,
    },
    /// More than [`EXCLUSIONS_MAX`].
    #[error("the site {name} has {count} exclusions; at most {EXCLUSIONS_MAX} are kept")]
    TooManyExclusions {
        /// The site.
        name: SiteName,
        /// How many it has.
        count: usize,
    },
    /// More than [`CATEGORY_RULES_MAX`].
    #[error("the site {name} has {count} category rules; at most {CATEGORY_RULES_MAX} are kept")]
    TooManyCategoryRules {
        /// The site.
        name: SiteName,
        /// How many it has.
        count: usize,
    },
    /// What its pages are told does not fit together.
    #[error("the site {name}: {error}")]
    Tracker {
        /// The site.
        name: SiteName,
        /// What does not.
        error: TrackerError,
    },
    /// An address is one thing.
    #[error("the path {path} is the site {other}'s already")]
    PathTaken {
        /// As given.
        path: PagePath,
        /// Whose it is.
        other: SiteName,
    },
    /// ClickHouse could not be asked or written to.
    #[error(transparent)]
    Server(#[from] ServerError),
}

/// What [`sql::SITES`] answers.
#[derive(Row, Deserialize)]
struct Found {
    name: String,
    latest: String,
    since: i64,
}

/// What [`sql::RECEIVED_SINCE`] answers.
#[derive(Row, Deserialize)]
struct Received {
    site: String,
    events: u64,
}

/// Makes a site, or gives it these settings; the same site twice is one version. The latest version holds,
/// so `now_millis` that is not after the version before is taken as just after it.
///
/// # Errors
/// Too many origins, hosts, exclusions or category rules, settings that do not fit together, a script's path that
/// is another site's, or a ClickHouse that cannot be asked; see [`SiteError`].
pub async fn add(server: &Server, site: &Site, now_millis: i64) -> Result<Added, SiteError> {
    let settings = checked(site)?;
    paths_are_free(server, site).await?;
    let found = server.client().query(sql::SITE).bind(site.name.as_str());
    let found = server.within(QUESTION_TIMEOUT, found.fetch_optional::<Found>()).await?;
    let (added, applied_at) = match &found {
        None => (Added::New, now_millis),
        Some(before) => match serde_json::from_str::<SiteSettings>(&before.latest) {
            Ok(latest) if latest == settings => return Ok(Added::Unchanged),
            _ => (Added::Changed, now_millis.max(before.since.saturating_add(1))),
        },
    };
    let row = DefinitionRow {
        kind: "site".to_owned(),
        name: site.name.to_string(),
        body: serde_json::json!(settings).to_string(),
        applied_at,
    };
    server.within(QUESTION_TIMEOUT, write(server, &row)).await?;
    Ok(added)
}

/// The site's settings in the one form they are kept in, so that equal ones are told to be equal.
fn checked(site: &Site) -> Result<SiteSettings, SiteError> {
    let mut settings = site.settings.clone();
    settings.origins.sort();
    settings.origins.dedup();
    settings.hosts.sort();
    settings.hosts.dedup();
    settings.exclude.sort();
    settings.exclude.dedup();
    let name = || site.name.clone();
    let count = settings.hosts.len();
    if count > HOSTS_MAX {
        return Err(SiteError::TooManyHosts { name: name(), count });
    }
    match (settings.origins.len(), settings.exclude.len(), settings.categories.len()) {
        (count, ..) if count > ORIGINS_MAX => {
            Err(SiteError::TooManyOrigins { name: name(), count })
        }
        (_, count, _) if count > EXCLUSIONS_MAX => {
            Err(SiteError::TooManyExclusions { name: name(), count })
        }
        (.., count) if count > CATEGORY_RULES_MAX => {
            Err(SiteError::TooManyCategoryRules { name: name(), count })
        }
        _ => {
            let fits = settings.tracker.check(settings.visitors);
            fits.map_err(|error| SiteError::Tracker { name: name(), error })?;
            Ok(settings)
        }
    }
}

/// A script belongs to one site; where events go, several may share an address.
async fn paths_are_free(server: &Server, site: &Site) -> Result<(), SiteError> {
    let own = &site.settings.tracker;
    if own.script_path.is_none() && own.events_path.is_none() {
        return Ok(());
    }
    let others = list(server).await?;
    for other in others.iter().filter(|other| other.name != site.name) {
        let tracker = &other.settings.tracker;
        let is_theirs = |path: &&PagePath| tracker.script_path.as_ref() == Some(*path);
        let own_script = own.script_path.as_ref();
        let taken = own_script
            .filter(|path| is_theirs(path) || tracker.events_path.as_ref() == Some(*path))
            .or_else(|| own.events_path.as_ref().filter(is_theirs));
        if let Some(path) = taken {
            return Err(SiteError::PathTaken { path: path.clone(), other: other.name.clone() });
        }
    }
    Ok(())
}

/// Every site in its latest version, by name. A definition this release cannot read is left out with a
/// warning, so that one of them does not stop all.
///
/// # Errors
/// When ClickHouse cannot be asked.
pub async fn list(server: &Server) -> Result<Vec<Site>, ServerError> {
    let found = server.client().query(sql::SITES).bind(SITES_MAX).fetch_all::<Found>();
    let found = server.within(QUESTION_TIMEOUT, found).await?;
    Ok(found.iter().filter_map(read).collect())
}

/// The site of this name in its latest version, if there is one that this release can read.
///
/// # Errors
/// When ClickHouse cannot be asked.
pub async fn find(server: &Server, name: &SiteName) -> Result<Option<Site>, ServerError> {
    let asked = server.client().query(sql::SITE).bind(name.as_str());
    let found = server.within(QUESTION_TIMEOUT, asked.fetch_optional::<Found>()).await?;
    Ok(found.as_ref().and_then(read))
}

/// What held for a site, the newest first, what holds now included: [`VERSIONS_MAX`] of it. A definition
/// this release cannot read is left out with a warning.
///
/// # Errors
/// When ClickHouse cannot be asked.
pub async fn versions(server: &Server, name: &SiteName) -> Result<Vec<SiteSettings>, ServerError> {
    let asked = server.client().query(sql::SITE_VERSIONS).bind(name.as_str()).bind(VERSIONS_MAX);
    let found = server.within(QUESTION_TIMEOUT, asked.fetch_all::<Found>()).await?;
    Ok(found.iter().filter_map(read).map(|site| site.settings).collect())
}

/// How many events each of these sites has that were received since then, bots' too. What happened more
/// than a day before that moment is not looked for: it would mean to read a month for every answer.
///
/// # Errors
/// When ClickHouse cannot be asked.
pub async fn received_since(
    server: &Server,
    sites: &[&str],
    since_millis: i64,
) -> Result<Vec<(String, u64)>, ServerError> {
    let mut asked = server.client().query(sql::RECEIVED_SINCE);
    for _ in 0..2 {
        asked = asked.bind(sites).bind(since_millis).bind(since_millis);
    }
    let counts = server.within(QUESTION_TIMEOUT, asked.fetch_all::<Received>()).await?;
    Ok(counts.into_iter().map(|counted| (counted.site, counted.events)).collect())
}

fn read(found: &Found) -> Option<Site> {
    let name = found.name.parse::<SiteName>();
    let settings = serde_json::from_str::<SiteSettings>(&found.latest);
    match (name, settings) {
        (Ok(name), Ok(settings)) => Some(Site { name, settings }),
        (_, Err(error)) => {
            tracing::warn!(site = %found.name, %error, "a site's definition cannot be read");
            None
        }
        (Err(error), _) => {
            tracing::warn!(site = %found.name, %error, "a site's name cannot be read");
            None
        }
    }
}

async fn write(server: &Server, row: &DefinitionRow) -> Result<(), clickhouse::error::Error> {
    let mut insert = server.client().insert::<DefinitionRow>("definitions").await?;
    insert.write(row).await?;
    insert.end().await
}
