//! Events that were left out, kept on wish until somebody mends and replays them: what a broken deploy
//! of the site has cost.
//!
//! Nothing is kept that a stored row would not have: no address, no query parameter but the allowed, no
//! traits, and e-mail addresses and card numbers replaced. What nobody wants stored is not kept at all.

use std::borrow::{Borrow, Cow};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use store::EventRow;
use tokio::sync::mpsc;
use wire::{Event, Kind};

use super::{DeadLetters, Letter, Unwanted};
use crate::cookieless::Visitor;
use crate::enrich::{Scrubbed, Visit, page_and_kept_query, without_query};
use crate::metrics::Metrics;
use crate::receive::Sent;
use crate::validate::DropReason;

/// Letters on their way to the disk; more than that at a time are counted as not kept.
const LETTERS_UNDER_WAY_MAX: usize = 256;
/// Bytes of an event that is kept. Few are over one kilobyte.
const EVENT_BYTES_MAX: usize = 16 * 1024;
/// What an event on the wire has; anything else in it is nobody's to keep.
const FIELDS: [&str; 15] = [
    "id",
    "type",
    "at",
    "visitor",
    "session",
    "user",
    "consent",
    "url",
    "referrer",
    "title",
    "categories",
    "name",
    "funnel",
    "step",
    "properties",
];

/// What was found of the request beside the event, as a row has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct VisitKept {
    pub(super) sent_at: u64,
    pub(super) country: String,
    region: String,
    city: String,
    device: String,
    browser: String,
    browser_version: String,
    os: String,
    os_version: String,
    language: String,
    screen_width: u16,
    bot_reason: String,
}

impl VisitKept {
    fn of(visit: &Visit<'_>, sent_at: u64) -> Self {
        Self {
            sent_at,
            country: visit.place.country.to_owned(),
            region: visit.place.region.to_owned(),
            city: visit.place.city.to_owned(),
            device: visit.device.class.to_owned(),
            browser: visit.device.browser.clone(),
            browser_version: visit.device.browser_version.clone(),
            os: visit.device.os.clone(),
            os_version: visit.device.os_version.clone(),
            language: crate::validate::cut(visit.language, 35).to_owned(),
            screen_width: visit.screen_width,
            bot_reason: visit.bot.map_or("", crate::enrich::BotReason::as_str).to_owned(),
        }
    }

    /// Puts it into a row that was made without it.
    pub(super) fn put<'a>(&'a self, row: &mut EventRow<Cow<'a, str>>) {
        row.country = self.country.as_str().into();
        row.region = self.region.as_str().into();
        row.city = self.city.as_str().into();
        row.device = self.device.as_str().into();
        row.browser = self.browser.as_str().into();
        row.browser_version = self.browser_version.as_str().into();
        row.os = self.os.as_str().into();
        row.os_version = self.os_version.as_str().into();
        row.language = self.language.as_str().into();
        row.screen_width = self.screen_width;
        if !row.host.is_empty() {
            row.bot_reason = self.bot_reason.as_str().into();
        }
    }
}

/// Of which request an event was left out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeftOutOf<'a> {
    pub(crate) unwanted: Unwanted<'a>,
    pub(crate) sent_at: u64,
    pub(crate) received_at: i64,
    pub(crate) visit: &'a Visit<'a>,
    pub(crate) visitor: &'a Visitor,
}

/// Where the pipeline puts what it leaves out. Never waits: a letter for which there is no room is
/// counted and not kept.
#[derive(Debug)]
pub(crate) struct LeftOut {
    letters: Option<mpsc::Sender<Letter>>,
    metrics: Arc<Metrics>,
}

impl LeftOut {
    /// With the task that writes; none where nothing is to be kept.
    pub(crate) fn new(
        dead: Arc<DeadLetters>,
        metrics: Arc<Metrics>,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (letters, mut written) = mpsc::channel::<Letter>(LETTERS_UNDER_WAY_MAX);
        let counts = Arc::clone(&metrics);
        let on = dead.fill().bytes_max > 0;
        let writing = async move {
            while let Some(letter) = written.recv().await {
                let dead = Arc::clone(&dead);
                let kept = tokio::task::spawn_blocking(move || dead.keep(&letter)).await;
                if let Ok(Err(super::KeepError::Io(error))) = &kept {
                    tracing::debug!(%error, "an event that was left out cannot be kept");
                }
                counts.left_out_kept(matches!(kept, Ok(Ok(()))));
            }
            // Nothing is kept: this ends when the collector does, and not before.
            std::future::pending().await
        };
        (Self { letters: on.then_some(letters), metrics }, writing)
    }

    /// Puts the event to the request's letters, unless it must not or need not be kept.
    pub(crate) fn put<'a, P: Borrow<RawValue>>(
        &self,
        letters: &mut Letters,
        sent: &Sent<'_, P>,
        reason: DropReason,
        of: impl FnOnce() -> LeftOutOf<'a>,
    ) {
        let Some(sender) = &self.letters else { return };
        let Some(letter) = letter(sent, reason, of()) else { return };
        match sender.clone().try_reserve_owned() {
            Ok(room) => letters.kept.push((room, letter)),
            Err(_) => letters.without_room += 1,
        }
    }

    /// Keeps letters of a request that was taken.
    pub(crate) fn keep(&self, letters: Letters) {
        for (room, letter) in letters.kept {
            room.send(letter);
        }
        for _ in 0..letters.without_room {
            self.metrics.left_out_kept(false);
        }
    }
}

/// The letters of one request. Each has its room from when it was made: those of requests that wait for the disk
/// are under way too.
#[derive(Debug, Default)]
pub(crate) struct Letters {
    kept: Vec<(mpsc::OwnedPermit<Letter>, Letter)>,
    without_room: usize,
}

fn letter<P: Borrow<RawValue>>(
    sent: &Sent<'_, P>,
    reason: DropReason,
    LeftOutOf { unwanted, sent_at, received_at, visit, visitor }: LeftOutOf<'_>,
) -> Option<Letter> {
    if !is_mendable(reason) || bytes(sent)? > EVENT_BYTES_MAX {
        return None;
    }
    let event = match sent {
        Sent::Event(event) => fields(event),
        Sent::Malformed(_, raw) => serde_json::from_str(raw.as_ref()?.get()).ok()?,
    };
    if unwanted.has(&event, visit.country) {
        return None;
    }
    let site = &unwanted.site.name;
    let event = to_raw_value(&least(event, visitor)).ok()?;
    if event.get().len() > EVENT_BYTES_MAX {
        return None;
    }
    // A batch that is sent again, with the same event in it, is the same letter.
    let digest = Sha256::new().chain_update(site.as_str()).chain_update([0]);
    let digest = digest.chain_update(event.get()).finalize();
    let id = hex::encode(digest.get(..8).unwrap_or_default());
    Some(Letter {
        token: format!("left-out-{id}"),
        id,
        refused_at: Timestamp::from_millisecond(received_at).unwrap_or_default(),
        site: site.as_str().to_owned(),
        table: String::new(),
        reason: reason.tag().to_owned(),
        row: None,
        row_binary: None,
        columns: Vec::new(),
        event: Some(event),
        visit: Some(VisitKept::of(visit, sent_at)),
    })
}

/// Whether the event was wanted, and only its form was wrong, or its host one that the site may have
/// forgotten. An exclusion or a suppression says that nothing of it is to be stored.
const fn is_mendable(reason: DropReason) -> bool {
    use DropReason as Reason;
    matches!(
        reason,
        Reason::EventMalformed
            | Reason::IdNotUuid
            | Reason::TypeUnknown
            | Reason::AtTooOld
            | Reason::AtInFuture
            | Reason::VisitorMissing
            | Reason::VisitorNotUuid
            | Reason::SessionNotUuid
            | Reason::UserMissing
            | Reason::UserTooLong
            | Reason::UrlMissing
            | Reason::UrlInvalid
            | Reason::HostNotAllowed
            | Reason::NameMissing
            | Reason::FunnelMissing
            | Reason::StepMissing
            | Reason::PropertiesNotObject
    )
}

/// About as many bytes as were sent, to know before it is looked through; none where nothing was.
fn bytes<P: Borrow<RawValue>>(sent: &Sent<'_, P>) -> Option<usize> {
    let event = match sent {
        Sent::Event(event) => event,
        Sent::Malformed(_, raw) => return raw.as_ref().map(|raw| raw.get().len()),
    };
    let texts = texts(event).into_iter().filter_map(|(_, text)| text);
    let texts = texts.chain(&event.categories).map(|text| text.len());
    let properties: Option<&RawValue> = event.properties.as_ref().map(Borrow::borrow);
    Some(texts.sum::<usize>() + properties.map_or(0, |raw| raw.get().len()))
}

fn texts<'e, 'a, P>(event: &'e Event<'a, P>) -> [(&'static str, Option<&'e wire::Text<'a>>); 11] {
    [
        ("id", Some(&event.id)),
        ("type", Some(&event.kind)),
        ("visitor", event.visitor.as_ref()),
        ("session", event.session.as_ref()),
        ("user", event.user.as_ref()),
        ("url", event.url.as_ref()),
        ("referrer", event.referrer.as_ref()),
        ("title", event.title.as_ref()),
        ("name", event.name.as_ref()),
        ("funnel", event.funnel.as_ref()),
        ("step", event.step.as_ref()),
    ]
}

fn fields<P: Borrow<RawValue>>(event: &Event<'_, P>) -> Map<String, Value> {
    let texts = texts(event).into_iter();
    let mut fields: Map<_, _> = texts
        .filter_map(|(name, text)| Some((name.to_owned(), Value::from(text?.as_str()))))
        .collect();
    fields.insert("at".to_owned(), Value::from(event.at));
    fields.insert("consent".to_owned(), serde_json::to_value(event.consent).unwrap_or_default());
    let categories = event.categories.iter().map(|category| Value::from(&**category));
    fields.insert("categories".to_owned(), categories.collect());
    let properties: Option<&RawValue> = event.properties.as_ref().map(Borrow::borrow);
    if let Some(properties) = properties.and_then(|raw| serde_json::from_str(raw.get()).ok()) {
        fields.insert("properties".to_owned(), properties);
    }
    fields
}

/// What may be kept of an event.
fn least(mut event: Map<String, Value>, visitor: &Visitor) -> Map<String, Value> {
    event.retain(|name, value| match name.as_str() {
        // An address that is none cannot be cut to what may be kept of it.
        "url" | "referrer" => value.is_string(),
        // Anything may be in a list or an object of whose it is, traits too.
        "user" | "visitor" | "session" => value.is_string() || value.is_number(),
        name => FIELDS.contains(&name),
    });
    ids(&mut event, visitor);
    // Of an identify they are traits, and of what is not known they might be.
    let kind = event.get("type").and_then(Value::as_str).and_then(Kind::from_name);
    if !matches!(kind, Some(Kind::PageView | Kind::Step | Kind::Custom | Kind::Engagement)) {
        event.remove("properties");
    }
    if let Some(Value::String(url)) = event.get_mut("url") {
        *url = page_and_kept_query(url);
    }
    if let Some(Value::String(referrer)) = event.get_mut("referrer") {
        *referrer = without_query(referrer).to_owned();
    }
    for (name, value) in &mut event {
        // As in a row: by `user` persons are told apart. And a time may look like a card's number.
        if !(name == "user" && value.is_string() || name == "at" && value.is_number()) {
            scrub(value);
        }
    }
    event
}

/// Where the site knows visitors by an id of the day, that is all that is kept of what was sent.
fn ids(event: &mut Map<String, Value>, visitor: &Visitor) {
    const IDS: [&str; 2] = ["visitor", "session"];
    let sent = IDS.map(|name| event.get(name).and_then(Value::as_str).unwrap_or_default().trim());
    let Some(kept) = visitor.kept_ids(sent[0], sent[1]) else { return };
    for (name, id) in IDS.into_iter().zip(kept) {
        if id.is_empty() {
            event.remove(name);
        } else {
            event.insert(name.to_owned(), Value::from(id));
        }
    }
}

fn scrub(value: &mut Value) {
    match value {
        Value::String(text) => scrub_text(text),
        Value::Number(number) => {
            if let Cow::Owned(scrubbed) = Scrubbed::default().text(&number.to_string()) {
                *value = Value::String(scrubbed);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(scrub),
        Value::Object(fields) => {
            let fields_sent = std::mem::take(fields).into_iter();
            fields.extend(fields_sent.map(|(mut name, mut value)| {
                scrub_text(&mut name);
                scrub(&mut value);
                (name, value)
            }));
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn scrub_text(text: &mut String) {
    if let Cow::Owned(scrubbed) = Scrubbed::default().text(text) {
        *text = scrubbed;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::enrich::SiteRules;
    use crate::suppressed::Suppressed;
    use crate::validate::{ReferrerSpam, Site};

    #[test]
    fn keeps_no_more_than_a_row_would() {
        let sent = json!({
            "id": "7", "type": "page_view", "at": 4_111_111_111_111_111_u64, "visitor": "v",
            "url": "https://me:pw@shop.example/a?token=secret&q=shoes&utm_source=n#frag",
            "referrer": "https://other.example/x?mail=1", "title": "of ana@shop.example",
            "properties": {"deep": [{"mail": "ana@shop.example"}], "n": 1, "a@b.hr": {"c@d.hr": 2}},
            "address": "192.0.2.1", "user": "u1",
        });
        let Value::Object(sent) = sent else { panic!("an object") };
        let expected = json!({
            "id": "7", "type": "page_view", "at": 4_111_111_111_111_111_u64, "visitor": "v",
            "url": "https://shop.example/a?q=shoes&utm_source=n",
            "referrer": "https://other.example/x", "title": "of [email]",
            "properties": {"deep": [{"mail": "[email]"}], "n": 1, "[email]": {"[email]": 2}},
            "user": "u1",
        });
        assert_eq!(Value::Object(least(sent, &Visitor::Sent)), expected);
    }

    #[test]
    fn an_event_that_is_too_long_is_not_looked_through() {
        let rules = SiteRules::default();
        let visit = Visit::of_the_past(&rules, "");
        let site = Site::new("shop".parse().unwrap(), []);
        let folder = tempfile::tempdir().unwrap();
        let suppressed = Suppressed::load(folder.path());
        let spam = ReferrerSpam::open(false, None);
        let letter = |title: &str, properties: &str| {
            let json = json!({"id": "7", "type": "page_view", "at": 1, "title": title}).to_string();
            let raw = RawValue::from_string(properties.to_owned()).unwrap();
            let mut event: Event<'_, &RawValue> = serde_json::from_str(&json).unwrap();
            event.properties = Some(&raw);
            let of = LeftOutOf {
                unwanted: Unwanted { site: &site, suppressed: &suppressed, spam: &spam },
                sent_at: 0,
                received_at: 0,
                visit: &visit,
                visitor: &Visitor::Sent,
            };
            letter(&Sent::Event(event), DropReason::IdNotUuid, of)
        };
        assert!(letter("x", "{}").is_some());
        assert!(letter(&"%40".repeat(350_000), "{}").is_none());
        assert!(letter("x", &format!("{{\"a\":\"{}\"}}", "%40".repeat(350_000))).is_none());
    }

    #[test]
    fn traits_are_not_kept_nor_what_may_be_some() {
        for kind in ["identify", "Identify", "teleport"] {
            let sent = json!({"type": kind, "properties": {"phone": "0912345678"}});
            let Value::Object(sent) = sent else { panic!("an object") };
            assert_eq!(Value::Object(least(sent, &Visitor::Sent)), json!({"type": kind}));
        }
    }

    #[test]
    fn whose_an_event_is_is_not_kept_in_a_form_that_no_row_has() {
        let sent = json!({
            "type": "step", "visitor": ["v"], "session": {"id": "s"},
            "user": {"id": "u8", "phone": "0912345678"},
        });
        let Value::Object(sent) = sent else { panic!("an object") };
        assert_eq!(Value::Object(least(sent, &Visitor::Sent)), json!({"type": "step"}));
        let Value::Object(sent) = json!({"user": 8, "visitor": "v"}) else { panic!("an object") };
        let expected = json!({"user": 8, "visitor": "v"});
        assert_eq!(Value::Object(least(sent, &Visitor::Sent)), expected);
    }

    #[test]
    fn what_nobody_wants_stored_is_not_kept() {
        let unwanted = DropReason::ALL.into_iter().filter(|reason| !is_mendable(*reason));
        let tags: Vec<_> = unwanted.map(DropReason::tag).collect();
        assert_eq!(
            tags,
            [
                "person_suppressed",
                "excluded_network",
                "excluded_country",
                "excluded_user_agent",
                "excluded_host",
                "excluded_path",
                "excluded_referrer",
                "referrer_spam"
            ]
        );
    }
}
