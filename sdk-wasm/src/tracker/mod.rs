//! The tracker itself: what happened comes in, and what follows is done through the traits of
//! [`browser`](crate::browser). It names no browser itself, so
//! all of it is tested natively.

use alloc::string::String;

use wire::{Kind, NewEvent};

use crate::browser::Browser;
use crate::capture::engagement::Engagement;
use crate::capture::page::Views;
use crate::delivery::Delivery;
use crate::json::{self, Raw};
use crate::lines::Lines;
use crate::queue;

/// Something happened in the page.
#[derive(Clone, Copy, Debug)]
pub enum Signal<'a> {
    /// The tracker has been started.
    Started {
        /// Whether the loader has viewed the page already, because it was about to go away.
        viewed: bool,
    },
    /// The page changed its own address.
    Navigated {
        /// As with [`Signal::Hidden`], of the page before.
        depth: u32,
    },
    /// The page is to be viewed whatever was before: it came back from the back-forward cache, or the
    /// site says so.
    Viewed,
    /// The page is no longer seen.
    Hidden {
        /// How much of the page has been seen, in percent of its height.
        depth: u32,
    },
    /// The visitor does not want to be measured, and all that was kept is gone.
    Forgotten,
    /// The time asked for last has come.
    Ticked,
    /// A batch was answered, or will not be.
    Answered {
        /// When to send it again; 0 where its events have left the queue: they are on the collector's disk, or
        /// refused for good.
        again_millis: u32,
    },
    /// The visitor looks: the page became visible, or they moved, typed or scrolled.
    Active {
        /// As with [`Signal::Hidden`].
        depth: u32,
    },
    /// The page, or a click, has an event of its own.
    Called {
        /// Its kind, name, funnel, step and properties (JSON): a line each, empty where absent.
        lines: &'a str,
    },
}

/// The tracker of one page.
#[derive(Debug, Default)]
pub struct Tracker {
    views: Views,
    engagement: Engagement,
    delivery: Delivery,
}

impl Tracker {
    /// A tracker that has seen nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { views: Views::new(), engagement: Engagement::new(), delivery: Delivery::new() }
    }

    /// Takes a signal and does what follows from it; sets the one timer to whatever is due first.
    pub fn handle(&mut self, signal: Signal<'_>, browser: &mut impl Browser) {
        let (now, page) = (browser.now(), browser.page());
        match signal {
            Signal::Started { viewed } => {
                if viewed {
                    self.views.view(&page);
                    self.delivery.wanted(now);
                } else {
                    self.view(&page, browser);
                }
                // Behind the view: nobody looked at anything before it, however long that took.
                if browser.is_visible() {
                    self.engagement.looks(now, 0);
                }
            }
            Signal::Viewed => self.view(&page, browser),
            Signal::Navigated { depth } => {
                self.engagement.saw(depth);
                self.views.navigated(now);
            }
            Signal::Hidden { depth } => {
                self.engagement.looks_away(now, depth);
                self.settle(&page, true, browser);
                self.tell_engagement(browser);
                self.beacon(browser);
            }
            Signal::Forgotten => *self = Self::new(),
            Signal::Ticked => {
                self.settle(&page, false, browser);
                self.flush(browser);
            }
            Signal::Answered { again_millis } => self.delivery.answered(now, again_millis),
            Signal::Active { depth } => {
                if self.engagement.looks(now, depth) {
                    self.tell_engagement(browser);
                }
            }
            Signal::Called { lines } => self.record(&page, lines, true, browser),
        }
        if let Some(due) = self.views.due().into_iter().chain(self.delivery.due()).min() {
            browser.later(due.saturating_sub(browser.now()) as u32);
        }
    }

    /// Whether all that was seen is delivered.
    #[must_use]
    pub fn is_idle(&self, browser: &impl Browser) -> bool {
        self.views.due().is_none() && self.delivery.is_idle() && browser.queue().is_empty()
    }

    fn settle(&mut self, page: &str, at_once: bool, browser: &mut impl Browser) {
        if self.views.settles(browser.now(), page, at_once) {
            self.view(page, browser);
        }
    }

    fn view(&mut self, page: &str, browser: &mut impl Browser) {
        self.engagement.goes_on(browser.now());
        self.tell_engagement(browser);
        self.engagement.turns();
        self.views.view(page);
        self.record(page, Kind::PageView.as_str(), true, browser);
    }

    /// Of the page viewed now, which may not be the one in the address any more.
    fn tell_engagement(&mut self, browser: &mut impl Browser) {
        if let Some(part) = self.engagement.part() {
            let mut lines = String::from(Kind::Engagement.as_str());
            lines.push_str("\n\n\n\n");
            lines.push_str(&part);
            let page = String::from(self.views.viewed());
            // What is told of a page that was left open long ago is no new visit.
            self.record(&page, &lines, false, browser);
        }
    }

    /// Makes an event of a page and a call, both lines, and puts it in the queue. It `begins` another
    /// session where the one before has ended.
    fn record(&mut self, page: &str, call: &str, begins: bool, browser: &mut impl Browser) {
        let (mut page, mut call) = (Lines(page), Lines(call));
        let who = browser.who(begins);
        if who.is_empty() {
            return;
        }
        let mut who = Lines(&who);
        let event = json::text(&NewEvent {
            id: who.next(),
            visitor: who.next(),
            session: who.next(),
            user: who.next(),
            consent: Raw(who.next()),
            at: browser.now(),
            url: page.next(),
            referrer: self.views.referrer(),
            categories: Raw::some(page.next()),
            title: page.next(),
            kind: call.next(),
            name: call.next(),
            funnel: call.next(),
            step: call.next(),
            properties: Raw::some(call.next()),
        });
        queue::push(&event, browser);
        self.delivery.wanted(browser.now());
    }

    /// Sends a batch if it is time, and no other tab sends.
    fn flush(&mut self, browser: &mut impl Browser) {
        let now = browser.now();
        if self.delivery.due().is_none_or(|due| now < due) {
            return;
        }
        let held = browser.held_millis();
        if held > 0 {
            return self.delivery.held(now + u64::from(held));
        }
        let events = queue::batch(browser, "", "");
        if events.is_empty() {
            self.delivery.nothing_left();
        } else {
            browser.post(&events);
            self.delivery.sent(events);
        }
    }

    /// Gives the browser what no batch carries yet. It stays in the queue until it is answered:
    /// the next page sends it again, under the same ids.
    fn beacon(&mut self, browser: &mut impl Browser) {
        let events = queue::batch(browser, &self.delivery.in_flight, &self.delivery.beaconed);
        if !events.is_empty() && (browser.held_millis() == 0 || !self.delivery.is_idle()) {
            browser.beacon(&events);
            self.delivery.beaconed(&events);
        }
    }
}

#[cfg(test)]
mod tests;
