//! The main path: receive > validate > enrich > spool. What waits on the disk then goes into
//! ClickHouse by itself (`sink::drain`).

use std::borrow::Borrow;
use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::value::RawValue;
use wire::{Answer, Context, Dropped, SiteName, Text};

use crate::clock::Clock;
use crate::enrich::{EnrichedEvent, LiveEnricher, Scrubbed, Told, Visit};
use crate::error::Rejection;
use crate::metrics::Metrics;
use crate::receive::{Sent, batch};
use crate::sites::Sites;
use crate::spool::block::{Frame, Table};
use crate::spool::{AppendError, Spool};
use crate::suppressed::Suppressed;
use crate::validate::{self, DropReason, Site, Times, ValidEvent, flatten};

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
    pub(crate) events: Vec<Sent<'a, P>>,
}

impl<'a, P> Part<'a, P> {
    /// Events that come from the visitor's own device.
    pub(crate) fn of(sender: Sender<'a>, context: Context<'a>) -> Self {
        let user_agent = Some(sender.user_agent.into());
        let told = Some(sender.told);
        Self { ip: sender.ip, user_agent, told, context, events: Vec::new() }
    }

    /// Whether all but the events is the same.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        (self.ip, &self.user_agent, self.told, &self.context)
            == (other.ip, &other.user_agent, other.told, &other.context)
    }
}

/// Takes batches in.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sites: Arc<Sites>,
    pub(crate) enricher: Arc<LiveEnricher>,
    pub(crate) suppressed: Arc<Suppressed>,
    pub(crate) spool: Arc<Spool>,
    pub(crate) metrics: Arc<Metrics>,
    /// Whether the spool refused the last batch.
    pub(crate) refusing: AtomicBool,
}

impl Pipeline {
    /// Takes one request's batch. The answer names every event left out; all others are on the disk.
    pub(crate) async fn accept(
        &self,
        sender: Sender<'_>,
        body: &[u8],
    ) -> Result<Answer, Rejection> {
        let batch = batch(body)?;
        let part = Part { events: batch.events, ..Part::of(sender, batch.context) };
        self.take(sender, &batch.site, batch.sent_at, &[part]).await
    }

    /// Takes what a request has told, in whatever way it came in. All of it is on the disk, or none.
    pub(crate) async fn take<P: Borrow<RawValue>>(
        &self,
        sender: Sender<'_>,
        site: &str,
        sent_at: u64,
        parts: &[Part<'_, P>],
    ) -> Result<Answer, Rejection> {
        let received_at = self.clock.now_millis();
        let sites = self.sites.table();
        let site = sites.find(site)?;
        site.check_origin(sender.origin)?;
        let times = Times::of_batch(sent_at, received_at);
        let enricher = self.enricher.current();
        let mut answer = Answer::default();
        let mut accepted = [(Table::Events, 0), (Table::BotEvents, 0)];
        let mut reasons = Vec::new();
        let mut frame = Frame::default();
        let mut scrubbed = Scrubbed::default();
        for part in parts {
            let user_agent = part.user_agent.as_deref();
            let visit = enricher.visit(part.ip, user_agent, part.told, &part.context, &site.rules);
            let agent = user_agent.unwrap_or(sender.user_agent);
            // By the request's own address: the one in the events is what the sender says it is.
            let excluded = site.excludes_sender(sender.ip, agent, visit.country);
            for sent in &part.events {
                let event = match excluded {
                    Some(reason) => Err(left_out(sent, reason)),
                    None => self.wanted(site, sent, &times, &visit),
                };
                match event {
                    Ok(event) => {
                        let (table, count) = &mut accepted[usize::from(event.bot.is_some())];
                        write(&mut frame, *table, &event, &site.name, received_at, &mut scrubbed)?;
                        *count += 1;
                    }
                    Err((reason, dropped)) => {
                        reasons.push(reason);
                        answer.dropped.push(dropped);
                    }
                }
            }
        }
        answer.accepted = accepted.iter().map(|(_, count)| count).sum();
        if answer.accepted > 0 {
            self.spool(frame).await?;
        }
        // Counted only now: a batch that is refused comes again.
        accepted.into_iter().for_each(|(table, count)| self.metrics.accepted(table, count));
        self.metrics.scrubbed(scrubbed);
        reasons.into_iter().for_each(|reason| self.metrics.dropped(reason));
        Ok(answer)
    }

    /// A valid event that nobody asked to leave out, enriched.
    fn wanted<'a, P: Borrow<RawValue>>(
        &self,
        site: &Site,
        sent: &'a Sent<'a, P>,
        times: &Times,
        visit: &'a Visit<'a>,
    ) -> Result<EnrichedEvent<'a>, (DropReason, Dropped)> {
        let event = EnrichedEvent::new(valid(sent, times)?, visit);
        if self.suppressed.holds(&site.name, event.identifiers.as_slice()) {
            return Err(left_out(sent, DropReason::PersonSuppressed));
        }
        match site.excludes_page(&event.page.host, event.page.path) {
            Some(reason) => Err(left_out(sent, reason)),
            None => Ok(event),
        }
    }

    /// Puts the rows on the disk. That it does not take them is logged once, and once when it does again.
    async fn spool(&self, frame: Frame) -> Result<(), Rejection> {
        match self.spool.append(frame).await {
            Ok(()) => {
                if self.refusing.load(Ordering::Relaxed)
                    && self.refusing.swap(false, Ordering::Relaxed)
                {
                    tracing::info!("the spool takes rows again");
                }
                Ok(())
            }
            Err(error) => {
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

/// Puts an event's rows into the frame, in their final form.
fn write(
    frame: &mut Frame,
    table: Table,
    event: &EnrichedEvent<'_>,
    site: &SiteName,
    received_at: i64,
    scrubbed: &mut Scrubbed,
) -> Result<(), Rejection> {
    let mut row = event.event_row(site, received_at);
    scrubbed.row(&mut row);
    let written = frame.push(table, &row).and_then(|()| {
        event
            .identifier_rows(site, received_at)
            .try_for_each(|row| frame.push(Table::Identifiers, &row))
    });
    written.map_err(|error| {
        tracing::error!(%error, "a row has no form, its request is refused");
        Rejection::SpoolUnwritable
    })
}

/// A valid event, or why not, for the count and for the sender.
fn valid<'a, P: Borrow<RawValue>>(
    sent: &'a Sent<'a, P>,
    times: &Times,
) -> Result<ValidEvent<'a>, (DropReason, Dropped)> {
    let event = match sent {
        Sent::Event(event) => event,
        Sent::Malformed(dropped) => return Err((DropReason::EventMalformed, dropped.clone())),
    };
    flatten(event.properties.as_ref().map(Borrow::borrow))
        .and_then(|properties| validate::event(event, properties, times))
        .map_err(|reason| left_out(sent, reason))
}

fn left_out<P>(sent: &Sent<'_, P>, reason: DropReason) -> (DropReason, Dropped) {
    let id = match sent {
        Sent::Event(event) => validate::cut(&event.id, wire::limits::NAME_BYTES_MAX),
        Sent::Malformed(dropped) => &dropped.id,
    };
    let field = Some(reason.field().to_owned());
    (reason, Dropped { id: id.to_owned(), reason: reason.tag().to_owned(), field })
}
