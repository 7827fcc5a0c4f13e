//! Facts added to a valid event. Nothing here can fail: the unknown stays unknown. The client's
//! address comes in and does not go out.

mod bot;
mod browser;
mod campaign;
mod category;
mod channel;
mod counts;
mod event;
mod geo;
mod identity;
mod live;
mod network;
mod page;
#[cfg(test)]
mod reference;
mod referrer;
mod row;
mod scrub;
mod source;
mod user_agent;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use wire::Context;

pub(crate) use bot::BotReason;
pub(crate) use counts::VisitCounts;
pub(crate) use event::EnrichedEvent;
use geo::{Geo, Place};
pub(crate) use live::LiveEnricher;
use network::Networks;
pub(crate) use scrub::Scrubbed;
use user_agent::{Device, UserAgents};

/// What the steps need beside the event: all of it read-only, or a cache.
#[derive(Debug)]
pub(crate) struct Enricher {
    geo: Geo,
    networks: Networks,
    user_agents: Arc<UserAgents>,
    counts: VisitCounts,
}

/// What holds for all events of one request, found out once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Visit<'a> {
    pub(crate) place: Place<'a>,
    pub(crate) device: Arc<Device>,
    pub(crate) bot: Option<BotReason>,
    pub(crate) language: &'a str,
    pub(crate) screen_width: u16,
}

impl Enricher {
    /// With these geo and network files, as far as they can be read.
    pub(crate) fn open(geo_files: &[PathBuf], asn_files: &[PathBuf]) -> Self {
        let user_agents = Arc::new(UserAgents::default());
        // The rules are compiled now, and not while the first visitor waits.
        user_agents.device("");
        Self {
            geo: Geo::open(geo_files),
            networks: Networks::open(asn_files),
            user_agents,
            counts: VisitCounts::default(),
        }
    }

    /// Looks at who sent the request. Here the address ends. No user agent at all is a server's that
    /// does not tell the visitor's; an empty one is the visitor's own.
    pub(crate) fn visit<'a>(
        &'a self,
        ip: IpAddr,
        user_agent: Option<&str>,
        context: &'a Context<'_>,
    ) -> Visit<'a> {
        let device = user_agent.map_or_else(Arc::default, |agent| self.user_agents.device(agent));
        let visit = Visit {
            place: self.geo.place(ip),
            bot: bot::judge(&device, context, ip, &self.networks),
            device,
            language: context.language.as_deref().unwrap_or_default(),
            screen_width: context.screen_width.unwrap_or_default(),
        };
        self.counts.count(&visit);
        visit
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
