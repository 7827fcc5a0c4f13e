//! The API that Segment's libraries speak, and RudderStack's and others' after them: a request of
//! theirs becomes events of our wire, and goes the same way from there.
//!
//! `message` is what they send, `event` what becomes of one message.

mod event;
mod message;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{AUTHORIZATION, HeaderMap};
use serde::Serialize;
use serde_json::value::RawValue;
use wire::limits::NAME_BYTES_MAX;
use wire::{Answer, Context, Dropped, FromObject, Text};

use self::event::{Ids, Properties, Sending};
use self::message::{Envelope, Message, MessageContext, text};
pub(crate) use self::message::{Object, object, text_in, time};
use super::native::{Sent, check_length, explain};
use crate::error::Rejection;
use crate::pipeline::{Part, Sender};
use crate::validate::{DropReason, cut};

/// Which address was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// Many messages, each of which says what it is.
    Batch,
    /// One message of this type.
    One(&'static str),
}

impl Call {
    /// `/v1/batch`, `/v1/track` and the others; the short ones are what browsers call.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let name = path.strip_prefix("/v1/")?;
        Some(match name.strip_suffix('/').unwrap_or(name) {
            "batch" | "b" => Self::Batch,
            "track" | "t" => Self::One("track"),
            "identify" | "i" => Self::One("identify"),
            "page" | "p" => Self::One("page"),
            "screen" | "s" => Self::One("screen"),
            "group" | "g" => Self::One("group"),
            "alias" | "a" => Self::One("alias"),
            _ => return None,
        })
    }
}

/// A request as events of the wire.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) site: Text<'a>,
    pub(crate) sent_at: u64,
    pub(crate) parts: Vec<Part<'a, Properties<'a>>>,
    /// The senders' ids of events that have got another.
    renamed: HashMap<String, Text<'a>>,
}

/// The body of the answer: what Segment's libraries look for, and what ours says.
#[derive(Debug, Serialize)]
pub(crate) struct Success<'a> {
    success: bool,
    #[serde(flatten)]
    answer: &'a Answer,
}

impl<'a> Success<'a> {
    pub(crate) const fn of(answer: &'a Answer) -> Self {
        Self { success: true, answer }
    }
}

/// Reads a request; the key is the site's name.
pub(crate) fn request<'a>(
    call: Call,
    headers: &HeaderMap,
    body: &'a [u8],
    sender: Sender<'a>,
    received_at: i64,
) -> Result<Request<'a>, Rejection> {
    let (messages, write_key, sent_at) = if call == Call::Batch {
        let FromObject(envelope): FromObject<Envelope<'_>> =
            serde_json::from_slice(body).map_err(|error| explain::<Envelope<'_>>(body, &error))?;
        (envelope.batch, envelope.write_key, envelope.sent_at)
    } else {
        let no_message = |error| explain::<Message<'_>>(body, &error);
        let message: &RawValue = serde_json::from_slice(body).map_err(no_message)?;
        let FromObject(head): FromObject<Message<'_>> =
            serde_json::from_str(message.get()).map_err(no_message)?;
        (vec![message], head.write_key, head.sent_at)
    };
    check_length(messages.len())?;
    let key = basic_user(headers).map(Text::from).or_else(|| text(write_key));
    let site = key.ok_or(Rejection::KeyMissing)?;
    let received_at = u64::try_from(received_at).unwrap_or_default();
    let mut sending = Sending { sent_at: time(sent_at).ok().flatten(), received_at };
    if sending.sent_at.is_none() {
        let FromObject(first): FromObject<Message<'_>> = object(messages.first().copied());
        sending.sent_at = time(first.sent_at).ok().flatten();
    }
    let sent_at = sending.sent_at.unwrap_or_default();
    let ids = Ids::of(&site);
    let mut request = Request { site, sent_at, parts: Vec::new(), renamed: HashMap::new() };
    for raw in messages {
        request.add(call, raw, &ids, sending, sender);
    }
    Ok(request)
}

impl<'a> Request<'a> {
    fn add(
        &mut self,
        call: Call,
        raw: &'a RawValue,
        ids: &Ids,
        sending: Sending,
        sender: Sender<'a>,
    ) {
        let malformed = |id: Option<Text<'_>>, field: Option<&str>| {
            let id = cut(id.as_deref().unwrap_or_default(), NAME_BYTES_MAX).to_owned();
            let reason = DropReason::EventMalformed.tag().to_owned();
            Sent::Malformed(Dropped { id, reason, field: field.map(str::to_owned) }, None)
        };
        let Ok(FromObject(message)) = serde_json::from_str::<FromObject<Message<'a>>>(raw.get())
        else {
            return self.push(Part::of(sender, Context::default()), malformed(None, None));
        };
        let FromObject(context): FromObject<MessageContext<'a>> = object(message.context);
        let own_kind = text(message.kind);
        let kind = match call {
            Call::One(kind) => kind,
            Call::Batch => own_kind.as_deref().unwrap_or_default(),
        };
        let part = part(&message, &context, sender);
        match event::event(kind, raw.get(), &message, &context, ids, sending) {
            Ok(event) => {
                if let Some(id) = text(message.message_id).filter(|id| *id != event.id) {
                    self.renamed.insert(event.id.as_str().to_owned(), id);
                }
                self.push(part, Sent::Event(event));
            }
            Err(field) => self.push(part, malformed(text(message.message_id), Some(field))),
        }
    }

    /// Puts an event to those before it, where they are of the same visitor as far as is known.
    fn push(&mut self, part: Part<'a, Properties<'a>>, sent: Sent<'a, Properties<'a>>) {
        match self.parts.last_mut() {
            Some(last) if last.is_like(&part) => last.events.push(sent),
            _ => self.parts.push(Part { events: vec![sent], maybe_nameless: true, ..part }),
        }
    }

    /// Puts into an answer the ids and the fields' names by which the sender knows its messages.
    pub(crate) fn put_into_its_words(&self, answer: &mut Answer) {
        for dropped in &mut answer.dropped {
            if let Some(id) = self.renamed.get(&dropped.id) {
                dropped.id = cut(id, NAME_BYTES_MAX).to_owned();
            }
            if let Some(field) = &mut dropped.field {
                *field = sent_as(field, &dropped.reason).to_owned();
            }
        }
    }
}

/// What a message calls a field of our events.
fn sent_as<'a>(field: &'a str, reason: &str) -> &'a str {
    match field {
        "properties" if reason == DropReason::PersonSuppressed.tag() => "traits",
        "id" => "messageId",
        "visitor" => "anonymousId",
        "at" => "timestamp",
        "user" => "userId",
        "name" => "event",
        // Of the page, or of where the request came from: these have the same name.
        same => same,
    }
}

/// Who the message is of. A library in a page or an app sends from the visitor's own device, so the
/// connection tells it. One on a server speaks for the visitor: what it passes on of the visitor is
/// taken, and of the server itself nothing.
fn part<'a>(
    message: &Message<'a>,
    context: &MessageContext<'a>,
    sender: Sender<'a>,
) -> Part<'a, Properties<'a>> {
    let screen: Object<'_> = object(context.screen);
    let wire = Context {
        language: text(context.locale),
        screen_width: text_in(&screen, "width").and_then(|width| width.parse().ok()),
        ..Context::default()
    };
    if is_on_a_device(message, context, sender) {
        return Part::of(sender, wire);
    }
    let ip = text(context.ip).and_then(|ip| ip.trim().parse::<IpAddr>().ok());
    Part {
        ip: ip.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ip| ip.to_canonical()),
        user_agent: text(context.user_agent),
        told: None,
        ..Part::of(sender, wire)
    }
}

/// A page names its origin, RudderStack's libraries their channel; of the others their name tells.
fn is_on_a_device(message: &Message<'_>, context: &MessageContext<'_>, sender: Sender<'_>) -> bool {
    const ON_DEVICES: [&str; 11] = [
        "analytics.js",
        "javascript",
        "browser",
        "ios",
        "android",
        "swift",
        "kotlin",
        "react-native",
        "flutter",
        "cordova",
        "unity",
    ];
    let library: Object<'_> = object(context.library);
    let name = text_in(&library, "name").unwrap_or_default().to_ascii_lowercase();
    sender.origin.is_some()
        || text(message.channel).is_some_and(|channel| matches!(&*channel, "web" | "mobile"))
        || ON_DEVICES.iter().any(|known| has_word(&name, known))
}

/// Whether a library's name has this in it as a word: `axios` is not for iOS, nor `community` of Unity.
fn has_word(name: &str, word: &str) -> bool {
    name.match_indices(word).any(|(at, _)| {
        let before = name.get(..at).and_then(|before| before.chars().next_back());
        let after = name.get(at + word.len()..).and_then(|after| after.chars().next());
        ![before, after].into_iter().flatten().any(char::is_alphanumeric)
    })
}

/// The user name of Basic authorization; the password is empty with these libraries.
fn basic_user(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let credentials = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let user = credentials.split_once(':').map_or(credentials.as_str(), |(user, _)| user);
    Some(user.to_owned()).filter(|user| !user.is_empty())
}

#[cfg(test)]
mod tests;
