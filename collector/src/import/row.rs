//! A row of a file -> an event's row.

use csv::StringRecord;
use identifier::Country;
use store::EventRow;
use url::Url;
use wire::limits::{NAME_BYTES_MAX, PROPERTY_BYTES_MAX, URL_BYTES_MAX, USER_BYTES_MAX};
use wire::{Kind, SiteName};

use super::ImportError;
use super::identity::Ids;
use super::input::Malformed;
use super::map::{self, Columns, Map};
use super::report::{Bad, BadReason, shown};
use crate::enrich::{self, Scrubbed, cut_clean};
use crate::suppressed::Suppressed;

/// How far ahead of the import an event may lie: clocks differ.
const AHEAD_MAX_MILLIS: i64 = 5 * 60 * 1000;

/// Makes events of one file's rows.
pub(super) struct Rows<'a> {
    map: &'a Map,
    site: &'a SiteName,
    columns: Columns<usize>,
    properties: Vec<(&'a str, usize)>,
    ids: Ids,
    received_at: i64,
    countries_unknown: u64,
    scrubbed: Scrubbed,
}

impl<'a> Rows<'a> {
    /// Finds the map's columns in the file.
    pub(super) fn new(
        map: &'a Map,
        site: &'a SiteName,
        header: &StringRecord,
        received_at: i64,
    ) -> Result<Self, ImportError> {
        let property = |name: &'a String| Ok((name.as_str(), map::place(name, header)?));
        let properties = map.properties.iter().map(property).collect::<Result<_, ImportError>>()?;
        let columns = map.columns.places(header)?;
        let ids = Ids::of(site);
        let scrubbed = Scrubbed::default();
        Ok(Self {
            map,
            site,
            columns,
            properties,
            ids,
            received_at,
            countries_unknown: 0,
            scrubbed,
        })
    }

    /// Countries that are in no table, so far.
    pub(super) fn countries_unknown(&self) -> u64 {
        self.countries_unknown
    }

    /// What was replaced in events, so far.
    pub(super) fn scrubbed(&self) -> Scrubbed {
        self.scrubbed
    }

    /// The event in a row. Its id is of the row as the file has it, whatever is replaced in its texts.
    pub(super) fn event(&mut self, row: Result<StringRecord, Malformed>) -> Result<EventRow, Bad> {
        let row = &row.map_err(malformed)?;
        let visitor = text(row, self.columns.visitor);
        if visitor.is_empty() {
            let visitor = &self.map.columns.visitor;
            return Err(bad(visitor, BadReason::VisitorMissing, "there is none".to_owned()));
        }
        let occurred_at = self.occurred_at(row)?;
        let (kind, name) = self.name(row)?;
        let user_id = self.user(row)?;
        let (host, path) = self.page(row)?;
        let visitor_id = self.ids.visitor(visitor);
        let session_id = match text_of(row, self.columns.session) {
            "" => visitor_id,
            session => self.ids.session(session),
        };
        let short = |column| cut_clean(text_of(row, column), NAME_BYTES_MAX).to_owned();
        let mut event = EventRow {
            site: self.site.as_str().to_owned(),
            event_id: self.ids.event(row),
            kind: kind.as_str().to_owned(),
            name,
            occurred_at,
            received_at: self.received_at,
            visitor_id,
            session_id,
            user_id,
            host,
            path,
            title: short(self.columns.title),
            referrer: without_query(text_of(row, self.columns.referrer)).to_owned(),
            source: short(self.columns.source),
            medium: short(self.columns.medium),
            channel: short(self.columns.channel),
            campaign: short(self.columns.campaign),
            country: self.country(row),
            device: short(self.columns.device),
            browser: short(self.columns.browser),
            os: short(self.columns.os),
            properties: self.properties(row),
            ..EventRow::default()
        };
        self.scrubbed.row(&mut event);
        Ok(event)
    }

    /// The event, unless its user is suppressed: the collector's door would refuse it too.
    pub(super) fn unless_suppressed(
        &self,
        event: EventRow,
        suppressed: &Suppressed,
    ) -> Result<EventRow, Bad> {
        if !suppressed.names_stored(&event) {
            return Ok(event);
        }
        let column = self.map.columns.user.as_deref().unwrap_or_default();
        Err(bad(column, BadReason::PersonSuppressed, "this user is suppressed".to_owned()))
    }

    fn occurred_at(&self, row: &StringRecord) -> Result<i64, Bad> {
        let (time, column) = (text(row, self.columns.time), &self.map.columns.time);
        let seen = shown(time, 60);
        let Some(millis) = self.map.times.millis(time) else {
            let problem = format!("\"{seen}\" is not {}", self.map.times.expected());
            return Err(bad(column, BadReason::TimeUnreadable, problem));
        };
        if millis < 0 {
            let problem = format!("\"{seen}\" is before 1970");
            Err(bad(column, BadReason::TimeTooOld, problem))
        } else if millis > self.received_at.saturating_add(AHEAD_MAX_MILLIS) {
            let problem =
                format!("\"{seen}\" is in the future; does time_zone or time_format fit?");
            Err(bad(column, BadReason::TimeInFuture, problem))
        } else {
            Ok(millis)
        }
    }

    fn name(&self, row: &StringRecord) -> Result<(Kind, String), Bad> {
        let (name, column) = (text(row, self.columns.name), &self.map.columns.name);
        let name = self.map.names.get(name).map_or(name, String::as_str);
        if name.is_empty() {
            return Err(bad(column, BadReason::NameMissing, "there is none".to_owned()));
        }
        if name.len() > NAME_BYTES_MAX {
            return Err(bad(column, BadReason::NameTooLong, too_long(name, NAME_BYTES_MAX)));
        }
        let kind = if name == Kind::PageView.as_str() { Kind::PageView } else { Kind::Custom };
        Ok((kind, name.to_owned()))
    }

    fn user(&self, row: &StringRecord) -> Result<String, Bad> {
        let user = text_of(row, self.columns.user);
        if user.len() > USER_BYTES_MAX {
            let column = self.map.columns.user.as_deref().unwrap_or_default();
            return Err(bad(column, BadReason::UserTooLong, too_long(user, USER_BYTES_MAX)));
        }
        Ok(user.to_owned())
    }

    /// Host and path. The query is not kept, because nobody can know what a site puts there.
    fn page(&self, row: &StringRecord) -> Result<(String, String), Bad> {
        let url = cut_clean(text_of(row, self.columns.url), URL_BYTES_MAX);
        if url.is_empty() || url.starts_with('/') {
            return Ok((String::new(), without_query(url).to_owned()));
        }
        let page = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let page =
            page.and_then(|page| Some((page.host_str()?.to_owned(), page.path().to_owned())));
        page.ok_or_else(|| {
            let column = self.map.columns.url.as_deref().unwrap_or_default();
            let problem = "neither http:// nor https:// nor a path that begins with /".to_owned();
            bad(column, BadReason::UrlInvalid, problem)
        })
    }

    /// The ISO code, or empty for what is in no table.
    fn country(&mut self, row: &StringRecord) -> String {
        let told = text_of(row, self.columns.country);
        let country = Country::parse(told).map(Country::as_str).unwrap_or_default();
        self.countries_unknown += u64::from(country.is_empty() && !told.is_empty());
        country.to_owned()
    }

    fn properties(&self, row: &StringRecord) -> Vec<(String, String)> {
        let texts = self.properties.iter().map(|(name, place)| (*name, text(row, *place)));
        let told = texts.filter(|(_, text)| !text.is_empty());
        told.map(|(name, text)| (name.to_owned(), cut_clean(text, PROPERTY_BYTES_MAX).to_owned()))
            .collect()
    }
}

fn bad(column: &str, reason: BadReason, problem: String) -> Bad {
    Bad { column: column.to_owned(), reason, problem }
}

fn malformed(malformed: Malformed) -> Bad {
    let problem = match malformed {
        Malformed::NotUtf8 => "the row is not UTF-8".to_owned(),
        Malformed::FieldCount { found, expected } => {
            format!("the row has {found} fields, the header {expected}")
        }
    };
    bad("", BadReason::RowMalformed, problem)
}

fn too_long(text: &str, bytes_max: usize) -> String {
    format!("{} bytes, more than {bytes_max}: \"{}\"", text.len(), shown(text, 30))
}

fn text(row: &StringRecord, place: usize) -> &str {
    row.get(place).unwrap_or_default().trim()
}

fn text_of(row: &StringRecord, place: Option<usize>) -> &str {
    place.map(|place| text(row, place)).unwrap_or_default()
}

/// An address up to its query, and up to its limit.
fn without_query(url: &str) -> &str {
    cut_clean(enrich::without_query(url), URL_BYTES_MAX)
}
