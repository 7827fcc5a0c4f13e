//! An enriched event as it is stored.

use store::{EventRow, IdentifierRow};
use wire::limits::NAME_BYTES_MAX;
use wire::{Choice, SiteName};

use super::EnrichedEvent;
use super::money::Money;
use crate::validate::cut;

impl EnrichedEvent<'_> {
    /// The row of `events`, or of `bot_events` where `bot_reason` is set.
    pub(crate) fn event_row(&self, site: &SiteName, received_at: i64) -> EventRow {
        let (event, visit) = (&self.event, self.visit);
        let told = self.worth.map(|worth| worth.told);
        let reported = self.worth.and_then(|worth| worth.reported);
        let currency = |money: Option<Money>| {
            money.map(|money| money.currency.to_string()).unwrap_or_default()
        };
        EventRow {
            site: site.as_str().to_owned(),
            event_id: event.id,
            kind: event.kind.as_str().to_owned(),
            name: cut(&event.name, 2 * NAME_BYTES_MAX + 1).to_owned(),
            occurred_at: event.occurred_at,
            received_at,
            visitor_id: event.visitor,
            session_id: event.session,
            user_id: event.user.to_owned(),
            host: cut(&self.page.host, NAME_BYTES_MAX).to_owned(),
            path: self.page.path.to_owned(),
            query: self.page.query.clone(),
            title: event.title.to_owned(),
            categories: self.categories.iter().map(|level| (*level).to_owned()).collect(),
            funnel: event.funnel.to_owned(),
            step: event.step.to_owned(),
            referrer: self.referrer.to_owned(),
            source: cut(&self.traffic.source, NAME_BYTES_MAX).to_owned(),
            medium: self.traffic.medium.to_string(),
            channel: self.traffic.channel.to_string(),
            campaign: self.traffic.campaign.to_string(),
            term: self.traffic.term.to_string(),
            content: self.traffic.content.to_string(),
            country: visit.place.country.to_owned(),
            region: visit.place.region.to_owned(),
            city: visit.place.city.to_owned(),
            device: visit.device.class.to_owned(),
            browser: visit.device.browser.clone(),
            browser_version: visit.device.browser_version.clone(),
            os: visit.device.os.clone(),
            os_version: visit.device.os_version.clone(),
            language: cut(visit.language, 35).to_owned(),
            screen_width: visit.screen_width,
            consent_analytics: choice(event.consent.analytics),
            consent_personalization: choice(event.consent.personalization),
            consent_ads: choice(event.consent.ads),
            value: told.map_or(0, |money| money.parts),
            currency: currency(told),
            value_reporting: reported.map_or(0, |money| money.parts),
            currency_reporting: currency(reported),
            click_id_kind: self.click.as_ref().map_or("", |click| click.kind).to_owned(),
            click_id: self.click.as_ref().map_or("", |click| &click.id).to_owned(),
            properties: event.properties.clone(),
            bot_reason: self.bot.map_or("", super::BotReason::as_str).to_owned(),
        }
    }

    /// The rows of `identifiers`; none of a program's.
    pub(crate) fn identifier_rows(
        &self,
        site: &SiteName,
        received_at: i64,
    ) -> impl Iterator<Item = IdentifierRow> {
        let identifiers = if self.bot.is_none() { self.identifiers.as_slice() } else { &[] };
        identifiers.iter().map(move |identifier| IdentifierRow {
            site: site.as_str().to_owned(),
            visitor_id: self.event.visitor,
            user_id: self.event.user.to_owned(),
            kind: identifier.kind.as_str().to_owned(),
            value: identifier.value.clone(),
            consent_ads: choice(self.event.consent.ads),
            occurred_at: self.event.occurred_at,
            received_at,
        })
    }
}

const fn choice(choice: Choice) -> i8 {
    match choice {
        Choice::Unknown => 0,
        Choice::Granted => 1,
        Choice::Denied => 2,
    }
}
