//! An enriched event as it is stored.

use std::borrow::Cow;

use store::{EventRow, IdentifierRow};
use wire::limits::NAME_BYTES_MAX;
use wire::{Choice, SiteName};

use super::EnrichedEvent;
use super::money::Money;
use crate::validate::{cut, cut_cow};

impl<'a> EnrichedEvent<'a> {
    /// The row of `events`, or of `bot_events` where `bot_reason` is set. Most of it still lies in the
    /// request.
    pub(crate) fn into_event_row(
        self,
        site: &'a SiteName,
        received_at: i64,
    ) -> EventRow<Cow<'a, str>> {
        let (event, visit, traffic) = (self.event, self.visit, self.traffic);
        let told = self.worth.map(|worth| worth.told);
        let reported = self.worth.and_then(|worth| worth.reported);
        let currency = |money: Option<Money>| {
            money.map_or(Cow::Borrowed(""), |money| money.currency.to_string().into())
        };
        let (click_id_kind, click_id) =
            self.click.map_or(("", Cow::Borrowed("")), |click| (click.kind, click.id));
        EventRow {
            site: site.as_str().into(),
            event_id: event.id,
            kind: event.kind.as_str().into(),
            name: cut_cow(event.name, 2 * NAME_BYTES_MAX + 1),
            occurred_at: event.occurred_at,
            received_at,
            visitor_id: event.visitor,
            session_id: event.session,
            user_id: event.user.into(),
            host: cut_cow(self.page.host, NAME_BYTES_MAX),
            path: self.page.path.into(),
            query: self.page.query.into(),
            title: event.title.into(),
            categories: self.categories,
            funnel: event.funnel.into(),
            step: event.step.into(),
            referrer: self.referrer.into(),
            source: cut_cow(traffic.source, NAME_BYTES_MAX),
            medium: traffic.medium,
            channel: traffic.channel,
            campaign: traffic.campaign,
            term: traffic.term,
            content: traffic.content,
            country: visit.place.country.into(),
            region: visit.place.region.into(),
            city: visit.place.city.into(),
            device: visit.device.class.into(),
            browser: visit.device.browser.as_str().into(),
            browser_version: visit.device.browser_version.as_str().into(),
            os: visit.device.os.as_str().into(),
            os_version: visit.device.os_version.as_str().into(),
            language: cut(visit.language, 35).into(),
            screen_width: visit.screen_width,
            consent_analytics: choice(event.consent.analytics),
            consent_personalization: choice(event.consent.personalization),
            consent_ads: choice(event.consent.ads),
            value: told.map_or(0, |money| money.parts),
            currency: currency(told),
            value_reporting: reported.map_or(0, |money| money.parts),
            currency_reporting: currency(reported),
            click_id_kind: click_id_kind.into(),
            click_id,
            properties: event.properties,
            bot_reason: self.bot.map_or("", super::BotReason::as_str).into(),
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
