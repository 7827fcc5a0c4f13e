//! What a visitor did, told in one line.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;
use wire::{Choice, Consent, Kind};

use crate::EventRow;

/// The rows of one visitor on one site. The clock stands at what [`Visit::at`] said and goes on one
/// second with each event, so that no two events of a visit are at once.
///
/// ```
/// use store::testing::visitor;
///
/// let rows = visitor("ada")
///     .country("HR")
///     .at("2026-01-01T10:00:00Z")
///     .views("/p/1")
///     .category("Shoes/Running")
///     .does("add_to_cart")
///     .property("price", "59.90")
///     .rows();
/// assert_eq!(rows[1].name, "add_to_cart");
/// assert_eq!(rows[0].categories, ["Shoes", "Shoes/Running"]);
/// ```
#[derive(Clone, Debug)]
pub struct Visit {
    visitor: String,
    /// What every further event has: place, device, source, consent, person.
    template: EventRow,
    rows: Vec<EventRow>,
    now_millis: i64,
}

/// Begins a visit to the site `shop`, at the start of 2026, with no consent given, in the session `1`.
/// The same name is the same visitor everywhere.
#[must_use]
pub fn visitor(name: &str) -> Visit {
    let template = EventRow {
        site: "shop".to_owned(),
        visitor_id: visitor_id(name),
        session_id: session_id(name, "1"),
        host: "shop.example".to_owned(),
        medium: "(none)".to_owned(),
        channel: "direct".to_owned(),
        ..EventRow::default()
    };
    let visit = Visit { visitor: name.to_owned(), template, rows: Vec::new(), now_millis: 0 };
    visit.at("2026-01-01T00:00:00Z")
}

/// The id of the visitor of this name.
#[must_use]
pub fn visitor_id(name: &str) -> Uuid {
    id(&format!("visitor {name}"))
}

/// The id of a visitor's session.
#[must_use]
pub fn session_id(visitor: &str, session: &str) -> Uuid {
    id(&format!("session {visitor} {session}"))
}

fn id(text: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, text.as_bytes())
}

fn number(choice: Choice) -> i8 {
    match choice {
        Choice::Unknown => 0,
        Choice::Granted => 1,
        Choice::Denied => 2,
    }
}

/// The clock.
impl Visit {
    /// Sets the clock, by RFC 3339.
    ///
    /// # Panics
    /// On a text that is not such a time.
    #[must_use]
    pub fn at(mut self, time: &str) -> Self {
        let time: Timestamp = time.parse().expect("a time such as 2026-01-01T10:00:00Z");
        self.now_millis = time.as_millisecond();
        self
    }

    /// Lets time pass.
    ///
    /// # Panics
    /// On more than 292 million years.
    #[must_use]
    pub fn after(mut self, time: Duration) -> Self {
        self.now_millis += i64::try_from(time.as_millis()).expect("milliseconds in 64 bits");
        self
    }
}

/// What holds for the events from here on.
impl Visit {
    /// Another site than `shop`.
    #[must_use]
    pub fn site(mut self, site: &str) -> Self {
        self.template.site = site.to_owned();
        self
    }

    /// Another session than `1`.
    #[must_use]
    pub fn session(mut self, session: &str) -> Self {
        self.template.session_id = session_id(&self.visitor, session);
        self
    }

    /// The person's known id.
    #[must_use]
    pub fn user(mut self, user: &str) -> Self {
        self.template.user_id = user.to_owned();
        self
    }

    /// ISO 3166-1 alpha-2.
    #[must_use]
    pub fn country(mut self, country: &str) -> Self {
        self.template.country = country.to_owned();
        self
    }

    /// `desktop`, `mobile`, ...
    #[must_use]
    pub fn device(mut self, device: &str) -> Self {
        self.template.device = device.to_owned();
        self
    }

    /// Where the visit came from, how, and its class.
    #[must_use]
    pub fn source(mut self, source: &str, medium: &str, channel: &str) -> Self {
        self.template.source = source.to_owned();
        self.template.medium = medium.to_owned();
        self.template.channel = channel.to_owned();
        self
    }

    /// The source's class alone.
    #[must_use]
    pub fn channel(mut self, channel: &str) -> Self {
        self.template.channel = channel.to_owned();
        self
    }

    /// What the visitor has agreed to.
    #[must_use]
    pub fn consent(mut self, consent: Consent) -> Self {
        self.template.consent_analytics = number(consent.analytics);
        self.template.consent_personalization = number(consent.personalization);
        self.template.consent_ads = number(consent.ads);
        self
    }

    /// What the visitor has agreed to, all three purposes alike.
    #[must_use]
    pub fn consents(self, choice: Choice) -> Self {
        self.consent(Consent { analytics: choice, personalization: choice, ads: choice })
    }

    /// Anything else: changes the row that every further event begins as.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut EventRow)) -> Self {
        change(&mut self.template);
        self
    }
}

/// The events.
impl Visit {
    /// A page view.
    #[must_use]
    pub fn views(mut self, path: &str) -> Self {
        self.template.path = path.to_owned();
        self.event(Kind::PageView, "page_view", "", "")
    }

    /// A custom event, on the page viewed last.
    #[must_use]
    pub fn does(self, name: &str) -> Self {
        self.event(Kind::Custom, name, "", "")
    }

    /// A step of a funnel, on the page viewed last.
    #[must_use]
    pub fn steps(self, funnel: &str, step: &str) -> Self {
        self.event(Kind::Step, &format!("{funnel}/{step}"), funnel, step)
    }

    /// Tells the person's known id; further events carry it.
    #[must_use]
    pub fn identifies(self, user: &str) -> Self {
        self.user(user).event(Kind::Identify, "identify", "", "")
    }

    /// What the last event's page is about: `Shoes/Running` is `Shoes` and `Shoes/Running`.
    ///
    /// # Panics
    /// Before the first event.
    #[must_use]
    pub fn category(mut self, category: &str) -> Self {
        let ends = category.match_indices('/').map(|(at, _)| at).chain([category.len()]);
        let levels = ends.filter_map(|end| category.get(..end)).map(str::to_owned).collect();
        self.last().categories = levels;
        self
    }

    /// Adds a property to the last event.
    ///
    /// # Panics
    /// Before the first event.
    #[must_use]
    pub fn property(mut self, name: &str, value: &str) -> Self {
        self.last().properties.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The rows, in order.
    #[must_use]
    pub fn rows(self) -> Vec<EventRow> {
        self.rows
    }

    fn last(&mut self) -> &mut EventRow {
        self.rows.last_mut().expect("an event before what is said of it")
    }

    fn event(mut self, kind: Kind, name: &str, funnel: &str, step: &str) -> Self {
        let site = &self.template.site;
        self.rows.push(EventRow {
            event_id: id(&format!("event {site} {} {} {name}", self.visitor, self.now_millis)),
            kind: kind.as_str().to_owned(),
            name: name.to_owned(),
            funnel: funnel.to_owned(),
            step: step.to_owned(),
            occurred_at: self.now_millis,
            received_at: self.now_millis,
            ..self.template.clone()
        });
        self.now_millis += 1000;
        self
    }
}

impl From<Visit> for Vec<EventRow> {
    fn from(visit: Visit) -> Self {
        visit.rows()
    }
}
