//! Facts added to a valid event. Nothing here can fail: the unknown stays unknown. The client's
//! address comes in and does not go out.

mod again;
mod bot;
mod browser;
mod campaign;
mod category;
mod channel;
mod click;
mod counts;
mod event;
mod exchange;
mod geo;
mod hints;
mod identity;
mod live;
#[cfg(test)]
mod mmdb;
mod money;
mod network;
mod page;
mod rate;
#[cfg(test)]
mod reference;
mod referrer;
mod row;
mod scrub;
mod site_hosts;
mod source;
mod system;
mod told;
mod user_agent;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use store::Currency;
use store::site::{CategoryRule, PlaceDetail, SiteSettings};
use wire::Context;

pub(crate) use again::{Remade, referrer_elsewhere};
pub(crate) use bot::BotReason;
pub(crate) use counts::VisitCounts;
pub(crate) use event::EnrichedEvent;
pub(crate) use exchange::Exchange;
use geo::{Geo, Place};
use hints::Hints;
pub(crate) use live::LiveEnricher;
use network::Networks;
pub(crate) use page::{page_and_kept_query, readings};
use rate::PageViewRate;
pub(crate) use referrer::without_query;
pub(crate) use scrub::{Scrubbed, cut_clean, cut_clean_cow};
use site_hosts::SiteHosts;
pub(crate) use source::below_dots;
pub(crate) use told::{PlaceTold, Told, header_text};
use user_agent::{Device, UserAgents};

/// The files that enrichment looks things up in; without one, what it knows stays unknown.
#[derive(Clone, Debug, Default)]
pub struct EnrichFiles {
    /// Databases of places (.mmdb), asked in order.
    pub geo: Vec<PathBuf>,
    /// Databases of networks (.mmdb), asked in order.
    pub asn: Vec<PathBuf>,
    /// The European Central Bank's history of reference rates (.csv), or a table like it.
    pub currency: Option<PathBuf>,
}

impl EnrichFiles {
    /// Each of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &PathBuf> {
        self.geo.iter().chain(&self.asn).chain(&self.currency)
    }
}

/// What a site says of how its events are enriched, and of which hosts its pages are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SiteRules {
    place: PlaceDetail,
    categories: Vec<CategoryRule>,
    currency: Option<Currency>,
    pub(crate) hosts: SiteHosts,
}

impl SiteRules {
    pub(crate) fn of(settings: &SiteSettings) -> Self {
        Self {
            place: settings.place,
            categories: settings.categories.clone(),
            currency: settings.currency,
            hosts: SiteHosts::of(settings),
        }
    }
}

/// What the steps need beside the event: all of it read-only, or a cache.
#[derive(Debug)]
pub(crate) struct Enricher {
    geo: Geo,
    networks: Networks,
    exchange: Arc<Exchange>,
    user_agents: Arc<UserAgents>,
    counts: VisitCounts,
    /// None where nobody is too fast.
    rate: Option<Arc<PageViewRate>>,
}

/// What holds for all events of one request, found out once.
#[derive(Clone, Debug)]
pub(crate) struct Visit<'a> {
    exchange: &'a Exchange,
    /// None where a server may speak for many visitors by one id.
    rate: Option<&'a PageViewRate>,
    site: &'a SiteRules,
    /// As much of it as the site keeps.
    pub(crate) place: Place<'a>,
    /// As far as it is known; stored only where it is the place's too.
    pub(crate) country: &'a str,
    pub(crate) device: Arc<Device>,
    pub(crate) bot: Option<BotReason>,
    pub(crate) language: &'a str,
    pub(crate) screen_width: u16,
}

impl<'a> Visit<'a> {
    /// Of a request that is gone; what else was found of it is put into the row. The rates of exchange are
    /// the running collector's, so an amount is told in its own currency only.
    pub(crate) fn of_the_past(site: &'a SiteRules, country: &'a str) -> Self {
        static NO_RATES: LazyLock<Exchange> = LazyLock::new(Exchange::default);
        Visit {
            exchange: &NO_RATES,
            rate: None,
            site,
            place: Place { country, ..Place::default() },
            country,
            device: Arc::default(),
            bot: None,
            language: "",
            screen_width: 0,
        }
    }
}

impl Enricher {
    /// With these files, as far as they can be read.
    pub(crate) fn open(files: &EnrichFiles) -> Self {
        let user_agents = Arc::new(UserAgents::default());
        // The rules are compiled now, and not while the first visitor waits.
        user_agents.device("", Hints::default());
        Self {
            geo: Geo::open(&files.geo),
            networks: Networks::open(&files.asn),
            exchange: live::exchange(files.currency.as_deref()).unwrap_or_default().into(),
            user_agents,
            counts: VisitCounts::default(),
            rate: None,
        }
    }

    /// Looks at who sent the request. Here the address ends. No user agent at all is a server's that
    /// does not tell the visitor's; an empty one is the visitor's own. `told` is none there too.
    pub(crate) fn visit<'a>(
        &'a self,
        ip: IpAddr,
        user_agent: Option<&str>,
        told: Option<&'a Told<'_>>,
        context: &'a Context<'_>,
        site: &'a SiteRules,
    ) -> Visit<'a> {
        let hints = told.map(|told| told.hints).unwrap_or_default();
        let device =
            user_agent.map_or_else(Arc::default, |agent| self.user_agents.device(agent, hints));
        let place = self.geo.place(ip);
        let place = told.map_or(place, |told| place.completing(&told.place));
        let from_page = told.filter(|told| told.from_page);
        let bare = from_page.is_some_and(|told| told.bare);
        let visit = Visit {
            exchange: &self.exchange,
            rate: from_page.and(self.rate.as_deref()),
            site,
            place: place.in_detail(site.place),
            country: place.country,
            bot: bot::judge(&device, bare, context, ip, &self.networks),
            device,
            language: context.language.as_deref().unwrap_or_default(),
            screen_width: context.screen_width.unwrap_or_default(),
        };
        self.counts.count(visit.country, visit.bot);
        visit
    }

    /// In which country an address is, or as a proxy told it; empty where that is not known.
    pub(crate) fn country<'a>(&'a self, ip: IpAddr, told: &'a Told<'_>) -> &'a str {
        self.geo.place(ip).completing(&told.place).country
    }

    /// How often a user agent was remembered, and how often it was read.
    pub(crate) fn user_agents_asked(&self) -> (u64, u64) {
        self.user_agents.asked()
    }

    /// When the oldest of the geo and of the network files was built, in seconds since 1970.
    pub(crate) fn built(&self) -> (u64, u64) {
        (self.geo.built(), self.networks.built())
    }
}
