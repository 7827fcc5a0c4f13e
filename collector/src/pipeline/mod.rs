//! The main path: receive > validate > enrich > spool. What waits on the disk then goes into
//! ClickHouse by itself (`sink::drain`).

use std::borrow::Borrow;
use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use serde_json::value::RawValue;
use tokio::sync::SemaphorePermit;
use wire::{Answer, Context, Dropped, Event, SiteName, Text};

use crate::clock::Clock;
use crate::cookieless::{DailySalts, Visitor};
use crate::dead_letters::{LeftOut, LeftOutOf, Letters, Unwanted};
use crate::enrich::{BotReason, EnrichedEvent, LiveEnricher, Scrubbed, Told, Visit};
use crate::error::Rejection;
use crate::gate::Gates;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::receive::{Sent, batch};
use crate::sites::Sites;
use crate::spool::block::{Frame, Table};
use crate::spool::{AppendError, Spool};
use crate::suppressed::Suppressed;
use crate::validate::{
    self, DropReason, Properties, PropertiesLeftOut, Site, Times, ValidEvent, flatten,
};

/// Who sent a request, as far as its head tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender<'a> {
    /// Ends in `enrich`.
    pub(crate) ip: IpAddr,
    pub(crate) user_agent: &'a str,
    pub(crate) origin: Option<&'a str>,
    pub(crate) told: &'a Told<'a>,
}

/// Events of one request that are of one visitor, as far as is known.
#[derive(Debug)]
pub(crate) struct Part<'a, P> {
    /// Ends in `enrich`. Unspecified where a server speaks for the visitor and does not tell it.
    pub(crate) ip: IpAddr,
    /// `None` where a server speaks for the visitor and does not tell it.
    pub(crate) user_agent: Option<Text<'a>>,
    /// `None` where a server speaks for the visitor.
    pub(crate) told: Option<&'a Told<'a>>,
    pub(crate) context: Context<'a>,
    /// Whether the operator has chosen its pages: those that a signed link leads to may be of any host.
    pub(crate) signed: bool,
    /// Whether an `identify` may be of the visitor alone.
    pub(crate) maybe_nameless: bool,
    pub(crate) events: Vec<Sent<'a, P>>,
}

impl<'a, P> Part<'a, P> {
    /// Events that come from the visitor's own device.
    pub(crate) fn of(sender: Sender<'a>, context: Context<'a>) -> Self {
        let user_agent = Some(sender.user_agent.into());
        let told = Some(sender.told);
        Self {
            ip: sender.ip,
            user_agent,
            told,
            context,
            signed: false,
            maybe_nameless: false,
            events: Vec::new(),
        }
    }

    /// One of the events, by the rules of the way it came in.
    pub(crate) fn check<'e>(
        &self,
        event: &'e Event<'e, P>,
        properties: Properties<'e>,
        times: &Times,
        visitor: &Visitor,
    ) -> Result<ValidEvent<'e>, DropReason> {
        let check = if self.maybe_nameless { validate::maybe_nameless } else { validate::event };
        check(event, properties, times, visitor)
    }

    /// Whether all but the events is the same.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        (self.ip, &self.user_agent, self.told, &self.context)
            == (other.ip, &other.user_agent, other.told, &other.context)
    }
}

/// Bytes of most rows; a longer one makes its frame grow.
const ROW_BYTES_USUAL: usize = 640;

/// Takes batches in.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) gates: Arc<Gates>,
    pub(crate) sites: Arc<Sites>,
    pub(crate) enricher: Arc<LiveEnricher>,
    pub(crate) suppressed: Arc<Suppressed>,
    pub(crate) left_out: LeftOut,
    pub(crate) salts: Arc<DailySalts>,
    pub(crate) spool: Arc<Spool>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) health: Arc<Health>,
    /// Whether the spool refused the last batch.
    pub(crate) refusing: AtomicBool,
}

impl Pipeline {
    /// Takes one request's batch. The answer names every event left out; all others are on the disk.
    pub(crate) async fn accept(
        &self,
        sender: Sender<'_>,
        body: Bytes,
    ) -> Result<Answer, Rejection> {
        let written = {
            let batch = batch(&body)?;
            let part = Part { events: batch.events, ..Part::of(sender, batch.context) };
            self.write(sender, &batch.site, batch.sent_at, &[part], |_| ())?
        };
        // While the disk hangs, bodies would pile up: some are a megabyte, and came as a kilobyte.
        drop(body);
        self.answer(written).await
    }

    /// Writes what a request has told, in whatever way it came in, to the spool: all of it or nothing. Its answer
    /// is put into the sender's words here, for it has its room by their length. Waits for nothing, so that all of
    /// it lies on the stack, which is always at hand, and not in the connection's memory.
    pub(crate) fn write<P: Borrow<RawValue>>(
        &self,
        sender: Sender<'_>,
        site: &str,
        sent_at: u64,
        parts: &[Part<'_, P>],
        into_words: impl FnOnce(&mut Answer),
    ) -> Result<Written<'_>, Rejection> {
        let sites = self.sites.table();
        let site = sites.find(site)?;
        let received_at = self.clock.now_millis();
        let taken = self.taken(sender, site, (sent_at, received_at), parts)?;
        let Taken { mut outcome, mut frame, .. } = taken;
        outcome.answer.accepted = outcome.accepted.iter().map(|(_, count)| count).sum();
        into_words(&mut outcome.answer);
        let (mut room, mut position) = (None, None);
        if outcome.answer.accepted > 0 {
            if self.spool.waits_for_the_disk() {
                room = self.gates.bodies.room(Some(bytes_held(&outcome.answer)))?;
            }
            position = match self.spool.write(&mut frame) {
                // It is taken when the disk has it, and no sooner.
                Ok(Some(position)) => Some(position),
                written => self.taken_by(written)?,
            };
        }
        let with_quota = site.events_per_day.map(|_| site.name.clone());
        Ok(Written { outcome, position, received_at, with_quota, _room: room })
    }

    /// The answer, once the disk has what was written. The request's body is to be gone by then.
    pub(crate) async fn answer(&self, written: Written<'_>) -> Result<Answer, Rejection> {
        if let Some(position) = written.position {
            self.taken_by(self.spool.synced(position).await)?;
        }
        Ok(self.counted(written))
    }

    /// What becomes of each event of a request, which was sent and received then.
    fn taken<'s, P: Borrow<RawValue>>(
        &self,
        sender: Sender<'_>,
        site: &'s Site,
        (sent_at, received_at): (u64, i64),
        parts: &[Part<'_, P>],
    ) -> Result<Taken<'s>, Rejection> {
        site.check_origin(sender.origin)?;
        let events = parts.iter().map(|part| part.events.len()).sum();
        self.gates.batch(sender, site, events, received_at)?;
        let times = Times::of_batch(sent_at, received_at);
        let enricher = self.enricher.current();
        let mut taken = Taken::of(&site.name, received_at, events);
        for part in parts {
            let user_agent = part.user_agent.as_deref();
            let visit = enricher.visit(part.ip, user_agent, part.told, &part.context, &site.rules);
            let agent = user_agent.unwrap_or(sender.user_agent);
            let visitor = Visitor::of(
                site,
                part.ip,
                user_agent.unwrap_or_default(),
                received_at,
                &self.salts,
            );
            // The visitor's address is not the request's where a server tells it: either may be excluded.
            let excluded = site.excludes_sender([sender.ip, part.ip], agent, visit.country);
            for sent in &part.events {
                match excluded {
                    Some(reason) => taken.leave_out(left_out(sent, reason)),
                    None => match self.wanted(site, part, sent, &times, &visit, &visitor) {
                        Ok(event) => taken.keep(event)?,
                        Err(left_out) => {
                            let of = || LeftOutOf {
                                unwanted: Unwanted {
                                    site,
                                    suppressed: &self.suppressed,
                                    spam: &self.gates.spam,
                                },
                                sent_at,
                                received_at,
                                visit: &visit,
                                visitor: &visitor,
                            };
                            let letters = &mut taken.outcome.letters;
                            self.left_out.put(letters, sent, left_out.0, of);
                            taken.leave_out(left_out);
                        }
                    },
                }
            }
        }
        Ok(taken)
    }

    /// Counts what is on the disk, and only now: a batch that is refused comes again.
    fn counted(&self, written: Written<'_>) -> Answer {
        let Outcome { answer, accepted, reasons, letters, scrubbed, too_fast, properties_left_out } =
            written.outcome;
        if let Some(site) = &written.with_quota {
            self.gates.quotas.count(site, answer.accepted, written.received_at);
        }
        accepted.into_iter().for_each(|(table, count)| self.metrics.accepted(table, count));
        self.metrics.visits.too_fast(too_fast);
        self.metrics.scrubbed(scrubbed);
        self.metrics.properties_left_out(properties_left_out);
        self.left_out.keep(letters);
        reasons.into_iter().for_each(|reason| self.metrics.dropped(reason));
        answer
    }

    /// A valid event that nobody asked to leave out, enriched.
    fn wanted<'a, P: Borrow<RawValue>>(
        &self,
        site: &Site,
        part: &Part<'_, P>,
        sent: &'a Sent<'a, P>,
        times: &Times,
        visit: &'a Visit<'a>,
        visitor: &Visitor,
    ) -> Result<EnrichedEvent<'a>, (DropReason, Dropped)> {
        let event = EnrichedEvent::new(valid(part, sent, times, visitor)?, visit);
        if !part.signed && !site.allows_page(&event.page.host) {
            return Err(left_out(sent, DropReason::HostNotAllowed));
        }
        let (user, identifiers) = (event.event.user, event.identifiers.as_slice());
        if let Some(field) = self.suppressed.named_by(&site.name, user, identifiers) {
            let (reason, dropped) = left_out(sent, DropReason::PersonSuppressed);
            return Err((reason, Dropped { field: Some(field.to_owned()), ..dropped }));
        }
        let unwanted = site.excludes_page(&event.page.host, event.page.path).or_else(|| {
            // A page of the site itself is nobody's spam.
            let elsewhere = event.referrer_host != event.page.host;
            elsewhere.then(|| site.excludes_referrer(&event.referrer_host, &self.gates.spam))?
        });
        match unwanted {
            Some(reason) => Err(left_out(sent, reason)),
            None => Ok(event),
        }
    }

    /// What the spool says of rows. That it does not take them is logged once, and once when it does again; that it
    /// cannot be written is known to `/readyz` too.
    fn taken_by<T>(&self, spool: Result<T, AppendError>) -> Result<T, Rejection> {
        match spool {
            Ok(told) => {
                if self.refusing.load(Ordering::Relaxed)
                    && self.refusing.swap(false, Ordering::Relaxed)
                {
                    self.health.spool_was_written();
                    tracing::info!("the spool takes rows again");
                }
                Ok(told)
            }
            Err(error) => {
                if matches!(error, AppendError::Io(_)) {
                    self.health.spool_cannot_be_written();
                }
                if !self.refusing.swap(true, Ordering::Relaxed) {
                    let cause = error.source().map(ToString::to_string);
                    tracing::error!(%error, cause, "batches are refused until the spool takes rows again");
                }
                Err(match error {
                    AppendError::Full => Rejection::SpoolFull,
                    AppendError::Io(_) => Rejection::SpoolUnwritable,
                })
            }
        }
    }
}

/// One request's events, written. All that a request holds while it waits for the disk.
pub(crate) struct Written<'a> {
    outcome: Outcome,
    /// Up to where the disk must have the spool before the answer; none where it need not.
    position: Option<u64>,
    received_at: i64,
    /// The site's name, where its events of the day are counted.
    with_quota: Option<SiteName>,
    /// Where the answer is a long one.
    _room: Option<SemaphorePermit<'a>>,
}

/// About as many bytes as an answer takes. Of a body that is small as it comes a thousand events may be left out.
fn bytes_held(answer: &Answer) -> usize {
    let texts = |dropped: &Dropped| {
        dropped.id.len() + dropped.reason.len() + dropped.field.as_ref().map_or(0, String::len)
    };
    answer.dropped.iter().map(|dropped| size_of::<Dropped>() + texts(dropped)).sum()
}

/// One request's events on their way to the spool.
struct Taken<'a> {
    site: &'a SiteName,
    received_at: i64,
    outcome: Outcome,
    frame: Frame,
}

/// What becomes of one request's events.
struct Outcome {
    answer: Answer,
    accepted: [(Table, u32); 2],
    reasons: Vec<DropReason>,
    /// Of what was left out, where it is to be kept.
    letters: Letters,
    scrubbed: Scrubbed,
    properties_left_out: PropertiesLeftOut,
    /// Events of visitors who are too fast for a human.
    too_fast: u32,
}

impl<'a> Taken<'a> {
    fn of(site: &'a SiteName, received_at: i64, events: usize) -> Self {
        Self {
            site,
            received_at,
            outcome: Outcome {
                answer: Answer::default(),
                accepted: [(Table::Events, 0), (Table::BotEvents, 0)],
                reasons: Vec::new(),
                letters: Letters::default(),
                scrubbed: Scrubbed::default(),
                properties_left_out: PropertiesLeftOut::default(),
                too_fast: 0,
            },
            frame: Frame::with_capacity(events * ROW_BYTES_USUAL),
        }
    }

    fn leave_out(&mut self, (reason, dropped): (DropReason, Dropped)) {
        self.outcome.reasons.push(reason);
        self.outcome.answer.dropped.push(dropped);
    }

    /// Puts an event's rows into the frame, in their final form.
    fn keep(&mut self, event: EnrichedEvent<'_>) -> Result<(), Rejection> {
        let outcome = &mut self.outcome;
        let (table, count) = &mut outcome.accepted[usize::from(event.bot.is_some())];
        *count += 1;
        outcome.properties_left_out += event.event.properties_left_out;
        outcome.too_fast += u32::from(event.bot == Some(BotReason::Rate));
        let identifiers = event
            .identifier_rows(self.site, self.received_at)
            .try_for_each(|row| self.frame.push(Table::Identifiers, &row));
        let mut row = event.into_event_row(self.site, self.received_at);
        outcome.scrubbed.row(&mut row);
        identifiers.and_then(|()| self.frame.push(*table, &row)).map_err(|error| {
            tracing::error!(%error, "a row has no form, its request is refused");
            Rejection::SpoolUnwritable
        })
    }
}

/// A valid event, or why not, for the count and for the sender.
fn valid<'a, P: Borrow<RawValue>>(
    part: &Part<'_, P>,
    sent: &'a Sent<'a, P>,
    times: &Times,
    visitor: &Visitor,
) -> Result<ValidEvent<'a>, (DropReason, Dropped)> {
    let event = match sent {
        Sent::Event(event) => event,
        Sent::Malformed(dropped, _) => return Err((DropReason::EventMalformed, dropped.clone())),
    };
    flatten(event.properties.as_ref().map(Borrow::borrow))
        .and_then(|properties| part.check(event, properties, times, visitor))
        .map_err(|reason| left_out(sent, reason))
}

fn left_out<P>(sent: &Sent<'_, P>, reason: DropReason) -> (DropReason, Dropped) {
    let id = match sent {
        Sent::Event(event) => validate::cut(&event.id, wire::limits::NAME_BYTES_MAX),
        Sent::Malformed(dropped, _) => &dropped.id,
    };
    let field = Some(reason.field().to_owned());
    (reason, Dropped { id: id.to_owned(), reason: reason.tag().to_owned(), field })
}

#[cfg(test)]
mod tests;
