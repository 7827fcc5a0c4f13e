//! An event with everything the collector knows of it.

use std::borrow::Cow;

use wire::{Choice, Kind};

use super::click::{self, Click};
use super::identity::{self, Identifiers};
use super::money::{self, Worth};
use super::page::{self, Page};
use super::{BotReason, Visit, campaign, category, referrer};
use crate::validate::ValidEvent;

/// Where a visit came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic<'a> {
    pub(crate) source: Cow<'a, str>,
    pub(crate) medium: Cow<'a, str>,
    pub(crate) channel: Cow<'a, str>,
    pub(crate) campaign: Cow<'a, str>,
    pub(crate) term: Cow<'a, str>,
    pub(crate) content: Cow<'a, str>,
}

/// A valid event and what was found out about it.
#[derive(Clone, Debug)]
pub(crate) struct EnrichedEvent<'a> {
    pub(crate) event: ValidEvent<'a>,
    pub(crate) visit: &'a Visit<'a>,
    pub(crate) page: Page<'a>,
    pub(crate) categories: Vec<Cow<'a, str>>,
    /// The page before, without its query.
    pub(crate) referrer: &'a str,
    /// Of the page before, lower case; empty where there is none.
    pub(crate) referrer_host: Cow<'a, str>,
    pub(crate) traffic: Traffic<'a>,
    pub(crate) identifiers: Identifiers,
    pub(crate) worth: Option<Worth>,
    /// Only where the visitor has granted consent for ads.
    pub(crate) click: Option<Click<'a>>,
    pub(crate) bot: Option<BotReason>,
}

impl<'a> EnrichedEvent<'a> {
    /// Runs every step.
    pub(crate) fn new(mut event: ValidEvent<'a>, visit: &'a Visit<'a>) -> Self {
        let site = visit.site;
        let page = Page::of(event.url);
        let referrer_host = page::host(event.referrer);
        let before = || referrer::traffic(referrer_host.clone(), &page.host, &site.hosts);
        let is_elsewhere = || referrer::is_elsewhere(&referrer_host, &page.host, &site.hosts);
        let traffic = campaign::traffic(page.query_sent, || is_elsewhere().then(before))
            .unwrap_or_else(before);
        let identifiers = identity::take(&mut event, visit.country);
        let mut categories = category::levels(event.categories);
        if categories.is_empty() && !site.categories.is_empty() {
            categories = category::by_rule(&site.categories, page.path);
        }
        let worth =
            money::worth(&event.properties, site.currency, visit.exchange, event.occurred_at);
        let click = match event.consent.ads {
            Choice::Granted => click::of(page.query_sent),
            Choice::Denied | Choice::Unknown => None,
        };
        // An event without a page is a server's, and a server is a program.
        let bot =
            if page.host.is_empty() { None } else { visit.bot.or_else(|| too_fast(&event, visit)) };
        Self {
            categories,
            referrer: referrer::without_query(event.referrer),
            referrer_host,
            worth,
            click,
            bot,
            event,
            visit,
            page,
            traffic,
            identifiers,
        }
    }
}

fn too_fast(event: &ValidEvent<'_>, visit: &Visit<'_>) -> Option<BotReason> {
    let rate = visit.rate?;
    let is_page_view = event.kind == Kind::PageView;
    rate.is_exceeded(event.visitor, event.occurred_at, is_page_view).then_some(BotReason::Rate)
}
