//! The tracker itself: a signal and the browser's state in, effects out. It names no browser, so
//! all of it is tested natively.

use serde_json::value::RawValue;
use wire::limits::{NAME_BYTES_MAX, URL_BYTES_MAX, USER_BYTES_MAX};
use wire::{Batch, Choice, Consent, Event, Kind, Text};

use crate::browser::Browser;
use crate::capture::page::{Page, View, Views};
use crate::config::Config;
use crate::consent::{self, Change};
use crate::delivery::{Delivery, Outcome};
use crate::error::Refusal;
use crate::{id, queue, session, visitor};

/// The name of the event that tells a changed consent: without it, a visitor who takes a consent
/// back and leaves would never be heard.
const CONSENT_EVENT: &str = "consent";

/// Something happened in the page.
#[derive(Debug)]
pub enum Signal {
    /// The tracker has been started.
    Started,
    /// The page changed its own address.
    Navigated {
        /// In place of the old one.
        replaced: bool,
    },
    /// The page came back from the back-forward cache.
    Shown,
    /// The page is no longer seen.
    Hidden,
    /// The page called `footfall(...)`.
    Command(Result<Command, Refusal>),
    /// The time of the last [`Effect::Wake`] has come.
    Ticked,
    /// A batch was answered.
    Answered {
        /// The HTTP status, 0 where there was no answer.
        status: u16,
    },
}

/// What a page asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// `footfall('page')`
    Page,
    /// `footfall('step', funnel, step, {...})`
    Step {
        /// The funnel's name.
        funnel: String,
        /// The step's name within it.
        step: String,
        /// A JSON object.
        properties: Option<String>,
    },
    /// `footfall(name, {...})`
    Custom {
        /// The event's name.
        name: String,
        /// A JSON object.
        properties: Option<String>,
    },
    /// `footfall('identify', user, {...})`
    Identify {
        /// The person's known id.
        user: String,
        /// A JSON object: email, phone and the like.
        traits: Option<String>,
    },
    /// `footfall('consent', {...})`
    Consent(Change),
}

impl Command {
    /// Reads a call: the texts in their order, and the object as JSON.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] that says what the call lacks.
    pub fn parse(texts: Vec<String>, json: Option<String>) -> Result<Self, Refusal> {
        let mut texts = texts.into_iter().filter(|text| !text.is_empty());
        let name = texts.next().ok_or(Refusal::NoName)?;
        match name.as_str() {
            "page" => Ok(Self::Page),
            "step" => match (texts.next(), texts.next()) {
                (Some(funnel), Some(step)) => Ok(Self::Step { funnel, step, properties: json }),
                _ => Err(Refusal::NoStep),
            },
            "identify" => {
                let user = texts.next().filter(|user| user.len() <= USER_BYTES_MAX);
                Ok(Self::Identify { user: user.ok_or(Refusal::NoUser)?, traits: json })
            }
            _ => Ok(Self::Custom { name, properties: json }),
        }
    }
}

/// Something to do in the browser.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// Post a batch and tell [`Signal::Answered`].
    Send {
        /// Where to.
        url: String,
        /// The batch.
        body: String,
    },
    /// Post a batch without waiting for an answer.
    Beacon {
        /// Where to.
        url: String,
        /// The batch.
        body: String,
    },
    /// Tell [`Signal::Ticked`] after this time; takes the place of the wake before.
    Wake {
        /// How long to wait.
        after_millis: u32,
    },
    /// Say this on the console.
    Say(String),
}

/// An event before it gets its id, its ids of visitor and session, and its consent.
struct Seen<'a> {
    kind: Kind,
    at: u64,
    page: &'a Page,
    name: Option<&'a str>,
    step: Option<(&'a str, &'a str)>,
    properties: Option<&'a str>,
}

/// The tracker of one page.
#[derive(Debug)]
pub struct Tracker {
    config: Config,
    views: Views,
    delivery: Delivery,
    /// The event that takes ads consent back, of a visitor who is forgotten already.
    withdrawal: Option<String>,
}

impl Tracker {
    /// A tracker that has seen nothing yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config, views: Views::default(), delivery: Delivery::default(), withdrawal: None }
    }

    /// Takes a signal; gives what is to be done, in order.
    pub fn handle(&mut self, signal: Signal, browser: &mut dyn Browser) -> Vec<Effect> {
        let mut effects = Vec::new();
        let seen = match signal {
            Signal::Started | Signal::Shown => self.view(browser),
            Signal::Navigated { replaced } => {
                let view = self.views.navigated(browser.now(), browser.page(), replaced);
                self.record_view(view, browser)
            }
            Signal::Command(command) => command.and_then(|command| self.command(&command, browser)),
            Signal::Hidden => {
                let view = self.views.settle(browser.now(), browser.page(), true);
                let seen = self.record_view(view, browser);
                effects.extend(self.beacon(browser));
                seen
            }
            Signal::Ticked => {
                let view = self.views.settle(browser.now(), browser.page(), false);
                let seen = self.record_view(view, browser);
                effects.extend(self.flush(browser));
                seen
            }
            Signal::Answered { status } => self.answered(status, browser),
        };
        effects.extend(self.withdraw(browser.now()));
        if let Err(refusal) = seen
            && self.config.debug
        {
            effects.push(Effect::Say(refusal.to_string()));
        }
        effects.extend(self.wake(browser.now()));
        effects
    }

    /// Whether all that was seen is delivered.
    #[must_use]
    pub fn is_idle(&self, browser: &dyn Browser) -> bool {
        self.views.due().is_none() && self.delivery.is_idle() && queue::is_empty(browser)
    }

    fn command(&mut self, command: &Command, browser: &mut dyn Browser) -> Result<(), Refusal> {
        let page = browser.page();
        let seen = |kind| Seen {
            kind,
            at: browser.now(),
            page: &page,
            name: None,
            step: None,
            properties: None,
        };
        match command {
            Command::Page => self.view(browser),
            Command::Step { funnel, step, properties } => {
                let step = Some((funnel.as_str(), step.as_str()));
                let properties = properties.as_deref();
                self.record(&Seen { step, properties, ..seen(Kind::Step) }, browser)
            }
            Command::Custom { name, properties } => {
                let name = Some(name.as_str());
                let properties = properties.as_deref();
                self.record(&Seen { name, properties, ..seen(Kind::Custom) }, browser)
            }
            Command::Identify { user, traits } => {
                let identified = Seen { properties: traits.as_deref(), ..seen(Kind::Identify) };
                if consent::load(browser).analytics == Choice::Denied {
                    return Err(Refusal::Denied);
                }
                visitor::identify(user, browser);
                self.record(&identified, browser)
            }
            Command::Consent(change) => {
                let told = Seen { name: Some(CONSENT_EVENT), ..seen(Kind::Custom) };
                self.consent(*change, &told, browser)
            }
        }
    }

    /// Keeps the new consent and tells it; a visitor who no longer wants to be measured is
    /// forgotten at once, with all that was not delivered.
    fn consent(
        &mut self,
        change: Change,
        told: &Seen<'_>,
        browser: &mut dyn Browser,
    ) -> Result<(), Refusal> {
        let before = consent::load(browser);
        let after = change.of(before);
        if after == before {
            return Ok(());
        }
        let takes_ads_back = before.ads == Choice::Granted && after.ads != Choice::Granted;
        if after.analytics == Choice::Denied && takes_ads_back {
            // The last that is heard of this visitor, or they would go on leaving for ad platforms.
            self.withdrawal = self.line(told, after, browser).ok();
        }
        consent::save(after, browser);
        if after.analytics == Choice::Denied {
            queue::clear(browser);
            visitor::forget(browser);
            session::forget(browser);
            self.views.forget();
            self.delivery.nothing_left();
            return Ok(());
        }
        if !self.views.any() {
            self.view(browser)?;
        }
        self.record(told, browser)
    }

    fn view(&mut self, browser: &mut dyn Browser) -> Result<(), Refusal> {
        if consent::load(browser).analytics == Choice::Denied {
            return Err(Refusal::Denied);
        }
        let view = self.views.view(browser.now(), browser.page());
        self.record_view(Some(view), browser)
    }

    fn record_view(
        &mut self,
        view: Option<View>,
        browser: &mut dyn Browser,
    ) -> Result<(), Refusal> {
        let Some(View { at, page }) = view else { return Ok(()) };
        let kind = Kind::PageView;
        self.record(
            &Seen { kind, at, page: &page, name: None, step: None, properties: None },
            browser,
        )
    }

    /// Makes the event and puts it in the queue.
    fn record(&mut self, seen: &Seen<'_>, browser: &mut dyn Browser) -> Result<(), Refusal> {
        let consent = consent::load(browser);
        if consent.analytics == Choice::Denied {
            return Err(Refusal::Denied);
        }
        let line = self.line(seen, consent, browser)?;
        queue::push(&line, browser)?;
        self.delivery.wanted(browser.now());
        Ok(())
    }

    /// The event as the wire has it.
    fn line(
        &self,
        seen: &Seen<'_>,
        consent: Consent,
        browser: &mut dyn Browser,
    ) -> Result<String, Refusal> {
        let properties: Option<&RawValue> = match seen.properties {
            Some(json) => Some(serde_json::from_str(json).map_err(|_| Refusal::NotJson)?),
            None => None,
        };
        let categories = seen.page.categories();
        let (funnel, step) = seen.step.unzip();
        let event = Event {
            id: id::new(browser).into(),
            kind: seen.kind.as_str().into(),
            at: seen.at,
            visitor: Some(visitor::visitor(browser).into()),
            session: Some(session::session(browser).into()),
            user: visitor::user(browser).map(Into::into),
            consent,
            url: short(&seen.page.url, URL_BYTES_MAX),
            referrer: short(self.views.referrer(), URL_BYTES_MAX),
            title: short(&seen.page.title, NAME_BYTES_MAX),
            categories: categories.iter().filter_map(|path| short(path, NAME_BYTES_MAX)).collect(),
            name: seen.name.and_then(|name| short(name, NAME_BYTES_MAX)),
            funnel: funnel.and_then(|funnel| short(funnel, NAME_BYTES_MAX)),
            step: step.and_then(|step| short(step, NAME_BYTES_MAX)),
            properties,
        };
        serde_json::to_string(&event).map_err(|_| Refusal::NotJson)
    }

    /// Sends the withdrawal, once and without waiting for an answer: nothing of it may be kept.
    fn withdraw(&mut self, now: u64) -> Option<Effect> {
        let line = self.withdrawal.take()?;
        let body = self.body(&[line], now)?;
        Some(Effect::Beacon { url: self.config.events_url.clone(), body })
    }

    /// Sends a batch if it is time.
    fn flush(&mut self, browser: &mut dyn Browser) -> Option<Effect> {
        if browser.now() < self.delivery.due()? {
            return None;
        }
        let events = self.readable(queue::batch(browser, &[]), browser);
        if events.is_empty() {
            self.delivery.nothing_left();
            return None;
        }
        let body = self.body(&events, browser.now())?;
        self.delivery.sent(events);
        Some(Effect::Send { url: self.config.events_url.clone(), body })
    }

    /// Gives the browser what no batch carries yet. It stays in the queue until it is answered:
    /// the next page sends it again, under the same ids.
    fn beacon(&mut self, browser: &mut dyn Browser) -> Option<Effect> {
        let events = queue::batch(browser, &self.delivery.on_the_way());
        let events = self.readable(events, browser);
        if events.is_empty() {
            return None;
        }
        let body = self.body(&events, browser.now())?;
        self.delivery.beaconed(events);
        Some(Effect::Beacon { url: self.config.events_url.clone(), body })
    }

    fn answered(&mut self, status: u16, browser: &mut dyn Browser) -> Result<(), Refusal> {
        let refused = (400..500).contains(&status);
        match self.delivery.answered(status, browser) {
            Outcome::Done(events) => {
                queue::remove(&events, browser);
                if !queue::is_empty(browser) {
                    self.delivery.wanted(browser.now());
                }
                if refused { Err(Refusal::Rejected(status)) } else { Ok(()) }
            }
            Outcome::Retry => Ok(()),
        }
    }

    /// Takes lines that are no JSON objects out of the queue: something else wrote there, and one
    /// of them would cost the whole batch.
    fn readable(&self, events: Vec<String>, browser: &mut dyn Browser) -> Vec<String> {
        let (readable, damaged): (Vec<_>, Vec<_>) = events.into_iter().partition(|line| {
            line.starts_with('{') && serde_json::from_str::<&RawValue>(line).is_ok()
        });
        if !damaged.is_empty() {
            queue::remove(&damaged, browser);
        }
        readable
    }

    fn body(&self, events: &[String], now: u64) -> Option<String> {
        let events: Option<Vec<&RawValue>> =
            events.iter().map(|line| serde_json::from_str(line).ok()).collect();
        let batch = Batch {
            site: self.config.site.as_str().into(),
            sent_at: now,
            context: self.config.context.clone(),
            events: events?,
        };
        serde_json::to_string(&batch).ok()
    }

    /// The one timer: whichever is due first.
    fn wake(&self, now: u64) -> Option<Effect> {
        let due = self.views.due().into_iter().chain(self.delivery.due()).min()?;
        let after_millis = u32::try_from(due.saturating_sub(now)).unwrap_or(u32::MAX);
        Some(Effect::Wake { after_millis })
    }
}

/// The text, cut to `bytes_max` at a character's end; `None` for an empty one.
fn short(text: &str, bytes_max: usize) -> Option<Text<'_>> {
    let text = text.get(..text.floor_char_boundary(bytes_max)).unwrap_or_default();
    (!text.is_empty()).then(|| text.into())
}

#[cfg(test)]
mod tests;
