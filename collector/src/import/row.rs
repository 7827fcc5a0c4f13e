//! One row of a file, as an event.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use store::EventRow;
use uuid::Uuid;
use wire::limits::{NAME_BYTES_MAX, PROPERTIES_MAX, PROPERTY_BYTES_MAX};
use wire::{Consent, Event, Kind, SiteName, Text};

use super::map::{Columns, Field, From, Map};
use super::report::RowReason;
use crate::validate::cut;

/// Makes ids out of what a file has: always the same from the same.
#[derive(Debug)]
pub(super) struct Ids {
    site: Uuid,
    /// How often each row was seen: rows may be equal and still be two events.
    seen: HashMap<Uuid, u32>,
}

impl Ids {
    pub(super) fn new(site: &SiteName) -> Self {
        Self {
            site: Uuid::new_v5(&Uuid::NAMESPACE_OID, site.as_str().as_bytes()),
            seen: HashMap::new(),
        }
    }

    fn of(&self, what: &str, text: &str) -> Uuid {
        Uuid::new_v5(&self.site, format!("{what}:{text}").as_bytes())
    }

    /// Of the row's content and the number of equal rows before it.
    fn of_row(&mut self, record: &csv::StringRecord) -> Uuid {
        let mut content = String::from("row:");
        for field in record {
            content.push_str(field);
            content.push('\u{1f}');
        }
        let row = Uuid::new_v5(&self.site, content.as_bytes());
        let count = self.seen.entry(row).or_default();
        *count += 1;
        match *count {
            1 => row,
            again => Uuid::new_v5(&row, &again.to_le_bytes()),
        }
    }
}

/// The row as it would have been sent.
pub(super) fn event<'a>(
    record: &'a csv::StringRecord,
    columns: &Columns,
    map: &Map,
    ids: &mut Ids,
) -> Result<Event<'a, ()>, RowReason> {
    // First, so that a row has the same number whether or not those before it were valid.
    let id = ids.of_row(record);
    let text = |column: usize| record.get(column).map(str::trim).filter(|text| !text.is_empty());
    let optional = |column: Option<usize>| column.and_then(text).map(Text::from);
    let at = text(columns.time)
        .and_then(|time| millis(time, map.time_zone()))
        .ok_or(RowReason::TimeUnreadable)?;
    let name = text(columns.name).unwrap_or_default();
    let kind = if name == Kind::PageView.as_str() { Kind::PageView } else { Kind::Custom };
    Ok(Event {
        id: id.to_string().into(),
        kind: kind.as_str().into(),
        at,
        visitor: text(columns.visitor).map(|visitor| ids.of("visitor", visitor).to_string().into()),
        session: columns
            .session
            .and_then(text)
            .map(|session| ids.of("session", session).to_string().into()),
        user: optional(columns.user),
        consent: Consent::default(),
        url: optional(columns.url),
        referrer: optional(columns.referrer),
        title: optional(columns.title),
        categories: Vec::new(),
        name: Some(name.into()),
        funnel: None,
        step: None,
        properties: None,
    })
}

/// The columns that are kept as properties, under their own names; empty ones are left out.
pub(super) fn properties(
    record: &csv::StringRecord,
    columns: &Columns,
    map: &Map,
) -> Vec<(String, String)> {
    let values = columns.properties.iter().map(|column| record.get(*column).unwrap_or_default());
    map.properties()
        .iter()
        .zip(values)
        .filter(|(_, value)| !value.is_empty())
        .take(PROPERTIES_MAX)
        .map(|(name, value)| {
            (cut(name, NAME_BYTES_MAX).to_owned(), cut(value, PROPERTY_BYTES_MAX).to_owned())
        })
        .collect()
}

/// Sets what the map says of the visit: nobody else knows it of an event so old.
pub(super) fn set_fields(row: &mut EventRow, record: &csv::StringRecord, columns: &Columns) {
    for (field, from) in &columns.fields {
        let value = match from {
            From::Column(column) => record.get(*column).unwrap_or_default(),
            From::Value(value) => value,
        };
        let place = match field {
            Field::Device => &mut row.device,
            Field::Browser => &mut row.browser,
            Field::Os => &mut row.os,
            Field::Country => &mut row.country,
            Field::Region => &mut row.region,
            Field::City => &mut row.city,
            Field::Language => &mut row.language,
            Field::Source => &mut row.source,
            Field::Medium => &mut row.medium,
            Field::Channel => &mut row.channel,
            Field::Campaign => &mut row.campaign,
        };
        cut(value.trim(), NAME_BYTES_MAX).clone_into(place);
    }
}

/// A time: with its offset, or in the map's time zone, or as seconds or milliseconds since 1970.
fn millis(text: &str, time_zone: &TimeZone) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: u64 = text.parse().ok()?;
        // As milliseconds this is March 1973; as seconds the year 5138.
        return Some(if number < 100_000_000_000 { number * 1000 } else { number });
    }
    let timestamp = text.parse::<Timestamp>().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        civil.to_zoned(time_zone.clone()).ok().map(|zoned| zoned.timestamp())
    })?;
    timestamp.as_millisecond().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_of_several_forms() {
        let zagreb = TimeZone::get("Europe/Zagreb").unwrap();
        let expected = Some(1_710_963_518_000);
        for text in [
            "2024-03-20T19:38:38Z",
            "2024-03-20 20:38:38",
            "1710963518",
            "1710963518000",
            "2024-03-20T20:38:38+01:00",
        ] {
            assert_eq!(millis(text, &zagreb), expected, "{text}");
        }
        for text in
            ["", "yesterday", "2024-13-01 00:00:00", "1969-12-31T00:00:00Z", "99999999999999999999"]
        {
            assert_eq!(millis(text, &zagreb), None, "{text}");
        }
    }

    #[test]
    fn equal_rows_have_ids_of_their_own_and_the_same_next_time() {
        let site = "shop".parse().unwrap();
        let rows = || {
            let mut ids = Ids::new(&site);
            let mut of = |fields: &[&str]| ids.of_row(&csv::StringRecord::from(fields));
            [of(&["a", "b"]), of(&["a", "b"]), of(&["ab", ""])]
        };
        let [first, again, other] = rows();
        assert!(first != again && again != other && other != first);
        assert_eq!(rows(), [first, again, other]);
    }
}
