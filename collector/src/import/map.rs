//! Which column of a file means what.

use std::str::FromStr;

use jiff::tz::TimeZone;
use serde::Deserialize;

use super::ImportError;

/// A map, as TOML. `time`, `visitor` and `name` are columns that must be there; see
/// `examples/import/clickstream.toml`.
#[derive(Clone, Debug)]
pub struct Map {
    raw: RawMap,
    time_zone: TimeZone,
    source: String,
}

/// What is wrong with a map.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// It is not TOML, or has a key that means nothing here.
    #[error("the map cannot be read: {0}")]
    Unreadable(#[from] toml::de::Error),
    /// There is no such time zone.
    #[error("there is no time zone named {name:?}; for example Europe/Zagreb")]
    TimeZone {
        /// As it stands in the map.
        name: String,
        /// What was said of it.
        #[source]
        source: jiff::Error,
    },
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMap {
    #[serde(rename = "format")]
    _format: Format,
    time: String,
    #[serde(default = "utc")]
    time_zone: String,
    visitor: String,
    session: Option<String>,
    user: Option<String>,
    name: String,
    url: Option<String>,
    referrer: Option<String>,
    title: Option<String>,
    #[serde(default)]
    properties: Vec<String>,
    #[serde(default)]
    fields: Vec<FieldFrom>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Format {
    Csv,
}

/// A stored column that takes a file's column, or the same value for every row.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldFrom {
    field: Field,
    column: Option<String>,
    #[serde(default)]
    value: String,
}

/// What a map may set beside the event itself; named as in the `events` table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is described as a column, in the migration")]
pub enum Field {
    Device,
    Browser,
    Os,
    Country,
    Region,
    City,
    Language,
    Source,
    Medium,
    Channel,
    Campaign,
}

/// Where a value comes from.
#[derive(Clone, Debug)]
pub(super) enum From {
    Column(usize),
    Value(String),
}

/// The map, with columns found in a file's header.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub(super) time: usize,
    pub(super) visitor: usize,
    pub(super) name: usize,
    pub(super) session: Option<usize>,
    pub(super) user: Option<usize>,
    pub(super) url: Option<usize>,
    pub(super) referrer: Option<usize>,
    pub(super) title: Option<usize>,
    pub(super) properties: Vec<usize>,
    pub(super) fields: Vec<(Field, From)>,
}

impl FromStr for Map {
    type Err = MapError;

    fn from_str(text: &str) -> Result<Self, MapError> {
        let raw: RawMap = toml::from_str(text)?;
        let time_zone = TimeZone::get(&raw.time_zone)
            .map_err(|source| MapError::TimeZone { name: raw.time_zone.clone(), source })?;
        Ok(Self { raw, time_zone, source: text.to_owned() })
    }
}

impl Map {
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    pub(super) const fn time_zone(&self) -> &TimeZone {
        &self.time_zone
    }

    /// The names under which properties are stored: the columns' own.
    pub(super) fn properties(&self) -> &[String] {
        &self.raw.properties
    }

    pub(super) fn find_columns(&self, header: &csv::StringRecord) -> Result<Columns, ImportError> {
        if header.iter().all(str::is_empty) {
            return Err(ImportError::NoHeader);
        }
        let find = |what: &str, column: &str| {
            // Spreadsheets put a byte order mark before the first name.
            let known = |name: &str| name.trim_start_matches('\u{feff}').trim() == column;
            header.iter().position(known).ok_or_else(|| ImportError::ColumnMissing {
                what: what.to_owned(),
                column: column.to_owned(),
                found: header.iter().map(str::to_owned).collect(),
            })
        };
        let find_if = |what, column: &Option<String>| {
            column.as_deref().map(|column| find(what, column)).transpose()
        };
        let field = |from: &FieldFrom| {
            let source = match &from.column {
                Some(column) => From::Column(find("a field", column)?),
                None => From::Value(from.value.clone()),
            };
            Ok::<_, ImportError>((from.field, source))
        };
        let raw = &self.raw;
        Ok(Columns {
            time: find("time", &raw.time)?,
            visitor: find("visitor", &raw.visitor)?,
            name: find("name", &raw.name)?,
            session: find_if("session", &raw.session)?,
            user: find_if("user", &raw.user)?,
            url: find_if("url", &raw.url)?,
            referrer: find_if("referrer", &raw.referrer)?,
            title: find_if("title", &raw.title)?,
            properties: raw
                .properties
                .iter()
                .map(|column| find("a property", column))
                .collect::<Result<_, _>>()?,
            fields: raw.fields.iter().map(field).collect::<Result<_, _>>()?,
        })
    }
}

fn utc() -> String {
    "UTC".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "format = \"csv\"\ntime = \"t\"\nvisitor = \"v\"\nname = \"n\"\n";

    #[test]
    fn finds_columns_wherever_they_stand() {
        let map: Map = format!(
            "{MAP}properties = [\"p\"]\nfields = [{{ field = \"device\", value = \"tv\" }}]"
        )
        .parse()
        .unwrap();
        let columns =
            map.find_columns(&csv::StringRecord::from(vec!["\u{feff}n", "p", " t ", "v"])).unwrap();
        assert_eq!(
            (columns.time, columns.visitor, columns.name, columns.properties),
            (2, 3, 0, vec![1])
        );
        let missing = map.find_columns(&csv::StringRecord::from(vec!["n", "v", "t"])).unwrap_err();
        assert_eq!(
            missing.to_string(),
            r#"the map takes a property from the column "p", but the file has only ["n", "v", "t"]"#
        );
    }

    #[test]
    fn says_what_is_wrong_with_a_map() {
        let wrong = |text: &str| text.parse::<Map>().unwrap_err().to_string();
        assert!(wrong("").contains("format"));
        assert!(wrong(&format!("{MAP}colour = \"red\"")).contains("colour"));
        assert!(wrong(&MAP.replace("csv", "parquet")).contains("parquet"));
        assert!(wrong(&format!("{MAP}time_zone = \"Mars/Olympus\"")).contains("Mars/Olympus"));
    }
}
