//! Our own wire: `POST /v1/events`.

use serde::de::{Deserialize, Deserializer, IgnoredAny};
use serde_json::error::Category;
use serde_json::value::RawValue;
use wire::limits::{EVENTS_PER_BATCH_MAX, NAME_BYTES_MAX};
use wire::{Batch, Dropped, Event, FromObject, Text};

use crate::error::Rejection;
use crate::validate::{DropReason, cut};

/// One event of a batch.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are events; a box would cost each an allocation"
)]
pub(crate) enum Sent<'a, P = &'a RawValue> {
    Event(Event<'a, P>),
    /// JSON, but not an event.
    /// With what was sent, where that is an event of our own wire.
    Malformed(Dropped, Option<&'a RawValue>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Sent<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        FromObject::deserialize(deserializer).map(|FromObject(event)| Self::Event(event))
    }
}

/// Reads a batch. Texts are borrowed from the body. One event of a wrong shape costs that event; a
/// wrong shape around the events costs the batch, because a newer SDK never sends one.
pub(crate) fn batch(body: &[u8]) -> Result<Batch<'_, Sent<'_>>, Rejection> {
    // One look at all of the body costs less than one at each text in it.
    let read = match str::from_utf8(body) {
        Ok(body) => serde_json::from_str(body),
        Err(_) => serde_json::from_slice(body),
    };
    let batch: Batch<'_, Sent<'_>> = match read {
        Ok(FromObject(batch)) => batch,
        Err(error) if error.classify() == Category::Data => event_by_event(body)?,
        Err(error) => return Err(explain_batch(body, &error)),
    };
    check_length(batch.events.len())?;
    Ok(batch)
}

/// A batch has a limit, whoever speaks.
pub(super) fn check_length(events: usize) -> Result<(), Rejection> {
    let events_max = EVENTS_PER_BATCH_MAX;
    if events > events_max { Err(Rejection::BatchTooLarge { events, events_max }) } else { Ok(()) }
}

/// The slow way, only for a batch with something wrong in it.
fn event_by_event(body: &[u8]) -> Result<Batch<'_, Sent<'_>>, Rejection> {
    let FromObject(batch): FromObject<Batch<'_, &RawValue>> =
        serde_json::from_slice(body).map_err(|error| explain_batch(body, &error))?;
    // An event takes far more room than the few bytes that are none.
    check_length(batch.events.len())?;
    let events = batch.events.into_iter().map(|raw| {
        let event = serde_json::from_str::<Sent<'_>>(raw.get());
        event.unwrap_or_else(|_| Sent::Malformed(malformed(raw.get()), Some(raw)))
    });
    Ok(Batch {
        site: batch.site,
        sent_at: batch.sent_at,
        context: batch.context,
        events: events.collect(),
    })
}

fn malformed(event: &str) -> Dropped {
    #[derive(serde::Deserialize)]
    #[serde(expecting = "an object")]
    struct Named<'a> {
        #[serde(borrow)]
        id: Text<'a>,
    }
    let field = field_at_fault::<Event<'_, IgnoredAny>>(event.as_bytes());
    let id = serde_json::from_str::<FromObject<Named<'_>>>(event).map_or_else(
        |_| String::new(),
        |FromObject(named)| cut(&named.id, NAME_BYTES_MAX).to_owned(),
    );
    Dropped { id, reason: DropReason::EventMalformed.tag().to_owned(), field }
}

fn explain_batch(body: &[u8], error: &serde_json::Error) -> Rejection {
    explain::<Batch<'_, IgnoredAny>>(body, error)
}

/// What is wrong with a body that should be a `T`, where, and in which field.
pub(super) fn explain<'de, T: Deserialize<'de>>(
    body: &'de [u8],
    error: &serde_json::Error,
) -> Rejection {
    let field = field_at_fault::<T>(body);
    let (line, column) = (error.line(), error.column());
    let problem = error.to_string();
    let problem = problem.rsplit_once(" at line ").map_or(problem.as_str(), |(problem, _)| problem);
    let problem = cut(&in_words(problem), NAME_BYTES_MAX).to_owned();
    if error.classify() == Category::Data {
        Rejection::BodyNotBatch { problem, line, column, field }
    } else {
        Rejection::BodyNotJson { problem, line, column, field }
    }
}

/// What is wrong with JSON in words of whoever writes JSON, where the parser has those of our types.
fn in_words(problem: &str) -> String {
    const WORDS: [(&str, &str); 6] = [
        ("invalid type: map,", "invalid type: object,"),
        ("invalid type: sequence,", "invalid type: list,"),
        ("floating point `", "number `"),
        ("expected a sequence", "expected a list"),
        ("expected u16", "expected a whole number from 0 to 65535"),
        ("expected i16", "expected a whole number from -32768 to 32767"),
    ];
    WORDS.iter().fold(problem.to_owned(), |told, (ours, theirs)| told.replace(ours, theirs))
}

/// The field for which JSON is no `T`: the innermost that is wrong, or else is not there. None where it is
/// the whole that is wrong.
fn field_at_fault<'de, T: Deserialize<'de>>(json: &'de [u8]) -> Option<String> {
    let mut json = serde_json::Deserializer::from_slice(json);
    let error = serde_path_to_error::deserialize::<_, FromObject<T>>(&mut json).err()?;
    let problem = error.inner().to_string();
    let missing = problem.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    let path = error.path().to_string();
    // Where the name of the next field could not be read, `?` stands for it; `.` is the whole.
    let path = path.strip_suffix('?').unwrap_or(&path).trim_end_matches('.');
    let field = match (path, missing) {
        (path, None) => path.to_owned(),
        ("", Some(missing)) => missing.to_owned(),
        (path, Some(missing)) => format!("{path}.{missing}"),
    };
    Some(cut(&field, NAME_BYTES_MAX).to_owned()).filter(|field| !field.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_the_json_ends_to_be_json() {
        let Rejection::BodyNotJson { problem, line, column, field } =
            batch(b"{\n \"site\": \"shop\", \"sent_at\": }").unwrap_err()
        else {
            panic!("not told apart from a wrong shape");
        };
        assert_eq!(
            (problem.as_str(), line, column, field.as_deref()),
            ("expected value", 2, 29, Some("sent_at"))
        );
        assert!(matches!(batch(b""), Err(Rejection::BodyNotJson { .. })));
        assert!(matches!(batch(b"{\"site\":\"\xff\"}"), Err(Rejection::BodyNotJson { .. })));
    }

    #[test]
    fn says_which_field_makes_it_no_batch() {
        let field = |body: &[u8]| match batch(body) {
            Err(Rejection::BodyNotBatch { field, .. }) => field.unwrap(),
            other => panic!("{other:?}"),
        };
        assert_eq!(field(br#"{"site":"shop","sent_at":"now","events":[]}"#), "sent_at");
        assert_eq!(
            field(br#"{"site":"shop","sent_at":1,"context":{"screen_width":-1},"events":[]}"#),
            "context.screen_width"
        );
        assert_eq!(field(br#"{"site":"shop","sent_at":1}"#), "events");
    }

    #[test]
    fn an_event_of_a_wrong_shape_costs_only_itself() {
        let good = r#"{"id":"a","type":"page_view","at":1}"#;
        let body = format!(
            r#"{{"site":"shop","sent_at":1,"events":[{good},{{"id":"b","type":"x","at":"soon"}},5,{good}]}}"#
        );
        let batch = batch(body.as_bytes()).unwrap();
        let told: Vec<_> = batch
            .events
            .iter()
            .map(|sent| match sent {
                Sent::Event(event) => (event.id.as_str(), None),
                Sent::Malformed(dropped, _) => (dropped.id.as_str(), dropped.field.as_deref()),
            })
            .collect();
        assert_eq!(told, [("a", None), ("b", Some("at")), ("", None), ("a", None)]);
    }
}
