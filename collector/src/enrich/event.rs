//! An event with everything the collector knows of it.

use std::borrow::Cow;

use super::identity::{self, Identifiers};
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
    pub(crate) traffic: Traffic<'a>,
    pub(crate) identifiers: Identifiers,
    pub(crate) bot: Option<BotReason>,
}

impl<'a> EnrichedEvent<'a> {
    /// The host of the page before, lower case; empty where there is none, or it is the page's own.
    pub(crate) fn referrer_host(&self) -> Cow<'a, str> {
        let host = page::host(self.referrer);
        if host == self.page.host { Cow::default() } else { host }
    }

    /// Runs every step.
    pub(crate) fn new(mut event: ValidEvent<'a>, visit: &'a Visit<'a>) -> Self {
        let page = Page::of(event.url);
        let traffic = campaign::traffic(page.query_sent)
            .unwrap_or_else(|| referrer::traffic(event.referrer, &page.host));
        let identifiers = identity::take(&mut event, visit.place.country);
        Self {
            categories: category::levels(event.categories),
            referrer: referrer::without_query(event.referrer),
            // An event without a page is a server's, and a server is a program.
            bot: visit.bot.filter(|_| !page.host.is_empty()),
            event,
            visit,
            page,
            traffic,
            identifiers,
        }
    }
}
