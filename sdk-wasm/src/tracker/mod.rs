//! The tracker itself: what happened comes in, and what follows is done through the traits of
//! [`browser`](crate::browser). It names no browser itself, so
//! all of it is tested natively.

use alloc::string::String;

use wire::limits::{NAME_BYTES_MAX, URL_BYTES_MAX, USER_BYTES_MAX};
use wire::{Choice, Consent, Kind, Levels, NewEvent};

use crate::browser::Browser;
use crate::capture::page::{Page, View, Views};
use crate::delivery::Delivery;
use crate::error::Refusal;
use crate::json::{self, Raw};
use crate::{consent, queue, session, visitor};

/// Something happened in the page.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    /// The tracker has been started.
    Started {
        /// Whether the loader has viewed the page already, because it was about to go away.
        viewed: bool,
    },
    /// The page changed its own address.
    Navigated {
        /// In place of the old one.
        replaced: bool,
    },
    /// The page came back from the back-forward cache.
    Shown,
    /// The page is no longer seen.
    Hidden,
    /// The visitor does not want to be measured, and all that was kept is gone.
    Forgotten,
    /// The time asked for last has come.
    Ticked,
    /// A batch was answered.
    Answered {
        /// The HTTP status, 0 where there was no answer.
        status: u16,
    },
}

/// A call of the page, `footfall(name, first, second, {...})`: what it does not give is empty.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// `page`, `step`, `identify`, or the name of an event.
    pub name: &'a str,
    /// A step's funnel, or the person's known id.
    pub first: &'a str,
    /// A step's name.
    pub second: &'a str,
    /// A JSON object.
    pub json: &'a str,
}

/// An event before it gets its id, its ids of visitor and session, and its consent.
struct Seen<'a> {
    kind: Kind,
    at: u64,
    page: &'a Page,
    name: &'a str,
    funnel: &'a str,
    step: &'a str,
    /// A JSON object, or empty.
    properties: &'a str,
}

/// The tracker of one page.
#[derive(Debug, Default)]
pub struct Tracker {
    views: Views,
    delivery: Delivery,
}

impl Tracker {
    /// A tracker that has seen nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { views: Views::new(), delivery: Delivery::new() }
    }

    /// Takes a signal and does what follows from it.
    pub fn handle(&mut self, signal: Signal, browser: &mut impl Browser) {
        let (now, page) = (browser.now(), browser.page());
        let seen = match signal {
            Signal::Started { viewed } => {
                if viewed {
                    self.views.view(now, page);
                    self.delivery.wanted(now);
                    Ok(())
                } else {
                    self.view(page, browser)
                }
            }
            Signal::Shown => self.view(page, browser),
            Signal::Forgotten => {
                self.views.forget();
                self.delivery.nothing_left();
                Ok(())
            }
            Signal::Navigated { replaced } => {
                let view = self.views.navigated(now, page, replaced);
                self.record_view(view, browser)
            }
            Signal::Hidden => {
                let view = self.views.settle(now, page, true);
                let seen = self.record_view(view, browser);
                self.beacon(browser);
                seen
            }
            Signal::Ticked => {
                let view = self.views.settle(now, page, false);
                let seen = self.record_view(view, browser);
                self.flush(browser);
                seen
            }
            Signal::Answered { status } => self.answered(status, browser),
        };
        self.finish(seen, browser);
    }

    /// Does what the page asks for.
    pub fn call(&mut self, call: Call<'_>, browser: &mut impl Browser) {
        let done = self.called(call, browser);
        self.finish(done, browser);
    }

    /// Whether all that was seen is delivered.
    #[must_use]
    pub fn is_idle(&self, browser: &impl Browser) -> bool {
        self.views.due().is_none() && self.delivery.is_idle() && queue::is_empty(browser)
    }

    /// Says what was left out, and sets the one timer to whatever is due first.
    fn finish(&mut self, done: Result<(), Refusal>, browser: &mut impl Browser) {
        if let Err(refusal) = done {
            browser.left_out(refusal);
        }
        if let Some(due) = self.views.due().into_iter().chain(self.delivery.due()).min() {
            browser.later(due.saturating_sub(browser.now()) as u32);
        }
    }

    fn called(&mut self, call: Call<'_>, browser: &mut impl Browser) -> Result<(), Refusal> {
        let Call { name, first, second, json } = call;
        let page = browser.page();
        let mut seen = Seen {
            kind: Kind::Custom,
            at: browser.now(),
            page: &page,
            name: "",
            funnel: "",
            step: "",
            properties: json,
        };
        match name {
            "" => return Err(Refusal::NoName),
            "page" => return self.view(page, browser),
            "step" => {
                if second.is_empty() {
                    return Err(Refusal::NoStep);
                }
                (seen.kind, seen.funnel, seen.step) = (Kind::Step, first, second);
            }
            "identify" => {
                if first.is_empty() || first.len() > USER_BYTES_MAX {
                    return Err(Refusal::NoUser);
                }
                if consent::load(browser).analytics == Choice::Denied {
                    return Err(Refusal::Denied);
                }
                seen.kind = Kind::Identify;
                visitor::identify(first, browser);
            }
            _ => seen.name = name,
        }
        self.record(&seen, browser)
    }

    fn view(&mut self, page: Page, browser: &mut impl Browser) -> Result<(), Refusal> {
        if consent::load(browser).analytics == Choice::Denied {
            return Err(Refusal::Denied);
        }
        let view = self.views.view(browser.now(), page);
        self.record_view(Some(view), browser)
    }

    fn record_view(
        &mut self,
        view: Option<View>,
        browser: &mut impl Browser,
    ) -> Result<(), Refusal> {
        let Some(View { at, page }) = view else { return Ok(()) };
        self.record(&seen(Kind::PageView, at, &page, ""), browser)
    }

    /// Makes the event and puts it in the queue.
    fn record(&mut self, seen: &Seen<'_>, browser: &mut impl Browser) -> Result<(), Refusal> {
        let consent = consent::load(browser);
        if consent.analytics == Choice::Denied {
            return Err(Refusal::Denied);
        }
        let line = self.line(seen, consent, browser);
        queue::push(&line, browser)?;
        self.delivery.wanted(browser.now());
        Ok(())
    }

    /// The event as the wire has it.
    fn line(&self, seen: &Seen<'_>, consent: Consent, browser: &mut impl Browser) -> String {
        let (id, visitor) = (browser.id(), visitor::visitor(browser));
        let (session, user) = (session::session(browser), visitor::user(browser));
        json::text(&NewEvent {
            id: &id,
            kind: seen.kind.as_str(),
            at: seen.at,
            visitor: &visitor,
            session: &session,
            user: &user,
            consent,
            url: short(seen.page.url(), URL_BYTES_MAX),
            referrer: short(self.views.referrer(), URL_BYTES_MAX),
            title: short(seen.page.title(), NAME_BYTES_MAX),
            categories: Levels(short(seen.page.category(), NAME_BYTES_MAX)),
            name: short(seen.name, NAME_BYTES_MAX),
            funnel: short(seen.funnel, NAME_BYTES_MAX),
            step: short(seen.step, NAME_BYTES_MAX),
            properties: Some(Raw(seen.properties)).filter(|_| !seen.properties.is_empty()),
        })
    }

    /// Sends a batch if it is time.
    fn flush(&mut self, browser: &mut impl Browser) {
        if self.delivery.due().is_none_or(|due| browser.now() < due) {
            return;
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
        if !events.is_empty() {
            browser.beacon(&events);
            self.delivery.beaconed(&events);
        }
    }

    fn answered(&mut self, status: u16, browser: &mut impl Browser) -> Result<(), Refusal> {
        let done = self.delivery.answered(status, browser);
        if done.is_empty() {
            return Ok(());
        }
        queue::remove(&done, browser);
        if !queue::is_empty(browser) {
            self.delivery.wanted(browser.now());
        }
        if (400..500).contains(&status) { Err(Refusal::Rejected) } else { Ok(()) }
    }
}

fn seen<'a>(kind: Kind, at: u64, page: &'a Page, name: &'a str) -> Seen<'a> {
    Seen { kind, at, page, name, funnel: "", step: "", properties: "" }
}

/// The text, cut to `bytes_max` at a character's end.
fn short(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
