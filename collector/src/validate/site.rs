//! Which sites there are, and from where each may be sent to.

use std::net::IpAddr;

use rustc_hash::FxHashMap;
use store::site::{Exclusion, TrackerSettings, Visitors};
use wire::SiteName;

use super::exclusion::Exclusions;
use super::{DropReason, ReferrerSpam};
use crate::enrich::SiteRules;
use crate::error::Rejection;

/// A site as the collector needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    pub(crate) name: SiteName,
    pub(crate) visitors: Visitors,
    origins: Vec<String>,
    exclusions: Exclusions,
    /// `None`: any number.
    pub(crate) events_per_day: Option<u64>,
    keeps_referrer_spam: bool,
    pub(crate) rules: SiteRules,
    pub(crate) tracker: TrackerSettings,
}

impl Site {
    pub(crate) fn new(name: SiteName, origins: impl IntoIterator<Item = String>) -> Self {
        let origins = origins
            .into_iter()
            .map(|origin| origin.trim_end_matches('/').to_ascii_lowercase())
            .collect();
        Self {
            name,
            visitors: Visitors::default(),
            origins,
            exclusions: Exclusions::default(),
            rules: SiteRules::default(),
            tracker: TrackerSettings::default(),
            events_per_day: None,
            keeps_referrer_spam: false,
        }
    }

    /// The site, with what it says of how its events are enriched.
    pub(crate) fn enriched_by(mut self, rules: SiteRules) -> Self {
        self.rules = rules;
        self
    }

    /// The site, without what it does not want.
    pub(crate) fn excluding(mut self, exclusions: Vec<Exclusion>) -> Self {
        self.exclusions = Exclusions::new(exclusions);
        self
    }

    /// The site, with so many events a day.
    pub(crate) const fn limited_to(mut self, events_per_day: Option<u64>) -> Self {
        self.events_per_day = events_per_day;
        self
    }

    /// The site, with or without what has a spammer's referrer.
    pub(crate) const fn keeping_referrer_spam(mut self, keeps: bool) -> Self {
        self.keeps_referrer_spam = keeps;
        self
    }

    /// The site, its pages measured like this.
    pub(crate) fn with_tracker(mut self, tracker: TrackerSettings) -> Self {
        self.tracker = tracker;
        self
    }

    /// The site, its visitors known by this.
    pub(crate) const fn with_visitors(mut self, visitors: Visitors) -> Self {
        self.visitors = visitors;
        self
    }

    /// Why nothing of this sender is wanted, whose addresses are the request's and the visitor's.
    pub(crate) fn excludes_sender(
        &self,
        addresses: [IpAddr; 2],
        user_agent: &str,
        country: &str,
    ) -> Option<DropReason> {
        self.exclusions.sender(addresses, user_agent, country)
    }

    /// Why nothing of this page is wanted.
    pub(crate) fn excludes_page(&self, host: &str, path: &str) -> Option<DropReason> {
        self.exclusions.page(host, path)
    }

    /// Whether a page of this host may be the site's. Nobody's origin is asked for that: who sends from no
    /// page names none, and who makes events up can name any.
    pub(crate) fn allows_page(&self, host: &str) -> bool {
        self.rules.hosts.allow(host)
    }

    /// Why nothing that comes from this host is wanted; empty where an event has no referrer.
    pub(crate) fn excludes_referrer(&self, host: &str, spam: &ReferrerSpam) -> Option<DropReason> {
        if host.is_empty() {
            None
        } else if self.exclusions.referrer(host) {
            Some(DropReason::ExcludedReferrer)
        } else {
            (!self.keeps_referrer_spam && spam.has(host)).then_some(DropReason::ReferrerSpam)
        }
    }

    /// A browser always names the page's origin; a server names none.
    pub(crate) fn check_origin(&self, origin: Option<&str>) -> Result<(), Rejection> {
        match origin {
            Some(origin)
                if !self.origins.iter().any(|known| known.eq_ignore_ascii_case(origin)) =>
            {
                Err(Rejection::OriginNotAllowed { origin: super::cut(origin, 200).to_owned() })
            }
            _ => Ok(()),
        }
    }
}

/// What an address that a site chose stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// `/v1/events`.
    Events,
    /// The script of the site of this name.
    Script(String),
}

/// All sites, by name, and the addresses that they chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SiteTable {
    /// Otherwise it is not known what sites there are.
    is_known: bool,
    sites: FxHashMap<String, Site>,
    chosen: FxHashMap<String, Chosen>,
}

impl SiteTable {
    /// Before ClickHouse has been asked for the first time, and with no copy of what it said.
    pub(crate) fn unknown() -> Self {
        Self { is_known: false, sites: FxHashMap::default(), chosen: FxHashMap::default() }
    }

    pub(crate) fn find(&self, name: &str) -> Result<&Site, Rejection> {
        self.sites.get(name).ok_or_else(|| match self.is_known {
            true => Rejection::SiteUnknown { site: super::cut(name, 63).to_owned() },
            // A sender takes a site that is not there for a mistake, and never asks again.
            false => Rejection::SitesNotKnown,
        })
    }

    /// What a site has chosen this address for.
    pub(crate) fn chosen(&self, path: &str) -> Option<&Chosen> {
        self.chosen.get(path)
    }

    /// The names of the sites that have so many events a day.
    pub(crate) fn limited(&self) -> impl Iterator<Item = &SiteName> {
        self.sites.values().filter(|site| site.events_per_day.is_some()).map(|site| &site.name)
    }

    /// Whether any site's visitors may go by an id that is made here.
    pub(crate) fn derives_visitors(&self) -> bool {
        self.sites.values().any(|site| site.visitors != Visitors::Kept)
    }

    pub(crate) fn len(&self) -> usize {
        self.sites.len()
    }
}

impl FromIterator<Site> for SiteTable {
    fn from_iter<I: IntoIterator<Item = Site>>(sites: I) -> Self {
        let mut table = Self { is_known: true, ..Self::unknown() };
        for site in sites {
            let name = site.name.as_str().to_owned();
            let TrackerSettings { script_path, events_path, .. } = &site.tracker;
            let script = script_path.iter().map(|path| (path, Chosen::Script(name.clone())));
            let chosen = script.chain(events_path.iter().map(|path| (path, Chosen::Events)));
            table.chosen.extend(chosen.map(|(path, chosen)| (path.as_str().to_owned(), chosen)));
            table.sites.insert(name, site);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_listed_origins_may_send() {
        let site = Site::new("shop".parse().unwrap(), ["https://Shop.example/".to_owned()]);
        assert_eq!(site.check_origin(None), Ok(()));
        assert_eq!(site.check_origin(Some("https://shop.example")), Ok(()));
        for origin in ["http://shop.example", "https://shop.example.evil.example", "null", ""] {
            assert!(site.check_origin(Some(origin)).is_err(), "{origin}");
        }
    }
}
