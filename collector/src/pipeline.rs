//! The main path: receive > validate > enrich > spool. What waits on the disk then goes into
//! ClickHouse by itself (`sink::drain`).

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use wire::{Answer, Dropped, SiteName};

use crate::clock::Clock;
use crate::enrich::{EnrichedEvent, LiveEnricher, Scrubbed};
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
        let received_at = self.clock.now_millis();
        let batch = batch(body)?;
        let sites = self.sites.table();
        let site = sites.find(&batch.site)?;
        site.check_origin(sender.origin)?;
        let times = Times::of_batch(batch.sent_at, received_at);
        let enricher = self.enricher.current();
        let visit = enricher.visit(sender.ip, sender.user_agent, &batch.context);
        let excluded = site.excludes_sender(sender.ip, sender.user_agent, visit.place.country);
        let mut bots = 0;
        let mut answer = Answer::default();
        let mut reasons = Vec::new();
        let mut frame = Frame::default();
        let mut scrubbed = Scrubbed::default();
        for sent in &batch.events {
            let excluded = excluded.map_or(Ok(()), |reason| Err(left_out(sent, reason)));
            let event = excluded
                .and_then(|()| valid(sent, &times))
                .map(|event| EnrichedEvent::new(event, &visit))
                .and_then(|event| match self.unwanted(site, &event) {
                    None => Ok(event),
                    Some(reason) => Err(left_out(sent, reason)),
                });
            match event {
                Ok(event) => {
                    let table = if event.bot.is_none() { Table::Events } else { Table::BotEvents };
                    bots += u32::from(event.bot.is_some());
                    write(&mut frame, table, &event, &site.name, received_at, &mut scrubbed)?;
                    answer.accepted += 1;
                }
                Err((reason, dropped)) => {
                    reasons.push(reason);
                    answer.dropped.push(dropped);
                }
            }
        }
        if answer.accepted > 0 {
            self.spool(frame).await?;
        }
        // Counted only now: a batch that is refused comes again.
        self.metrics.accepted(Table::Events, answer.accepted - bots);
        self.metrics.accepted(Table::BotEvents, bots);
        self.metrics.scrubbed(scrubbed);
        reasons.into_iter().for_each(|reason| self.metrics.dropped(reason));
        Ok(answer)
    }

    /// Why a whole event is not wanted all the same.
    fn unwanted(&self, site: &Site, event: &EnrichedEvent<'_>) -> Option<DropReason> {
        if self.suppressed.holds(&site.name, event.identifiers.as_slice()) {
            return Some(DropReason::PersonSuppressed);
        }
        site.excludes_page(&event.page.host, event.page.path)
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
fn valid<'a>(sent: &'a Sent<'a>, times: &Times) -> Result<ValidEvent<'a>, (DropReason, Dropped)> {
    let event = match sent {
        Sent::Event(event) => event,
        Sent::Malformed(dropped) => return Err((DropReason::EventMalformed, dropped.clone())),
    };
    flatten(event.properties)
        .and_then(|properties| validate::event(event, properties, times))
        .map_err(|reason| left_out(sent, reason))
}

fn left_out(sent: &Sent<'_>, reason: DropReason) -> (DropReason, Dropped) {
    let id = match sent {
        Sent::Event(event) => validate::cut(&event.id, wire::limits::NAME_BYTES_MAX),
        Sent::Malformed(dropped) => &dropped.id,
    };
    let field = Some(reason.field().to_owned());
    (reason, Dropped { id: id.to_owned(), reason: reason.tag().to_owned(), field })
}
