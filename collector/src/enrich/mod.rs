//! Facts added to a valid event. Nothing here can fail: the unknown stays unknown. The client's
//! address comes in and does not go out.

mod bot;
mod campaign;
mod category;
mod channel;
mod event;
mod geo;
mod identity;
mod page;
mod referrer;
mod row;
mod scrub;
mod user_agent;

use std::net::IpAddr;
use std::sync::Arc;

use wire::Context;

pub(crate) use bot::BotReason;
pub(crate) use event::EnrichedEvent;
pub(crate) use geo::{Geo, Place};
pub(crate) use scrub::Scrubbed;
pub(crate) use user_agent::{Device, UserAgents};

/// What the steps need beside the event: all of it read-only, or a cache.
#[derive(Debug)]
pub(crate) struct Enricher {
    pub(crate) geo: Geo,
    pub(crate) user_agents: UserAgents,
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
    /// Looks at who sent the request. Here the address ends.
    pub(crate) fn visit<'a>(
        &'a self,
        ip: IpAddr,
        user_agent: &str,
        context: &'a Context<'_>,
    ) -> Visit<'a> {
        let device = self.user_agents.device(user_agent);
        Visit {
            place: self.geo.place(ip),
            bot: bot::judge(&device, context),
            device,
            language: context.language.as_deref().unwrap_or_default(),
            screen_width: context.screen_width.unwrap_or_default(),
        }
    }
}
