//! Which column of a file means what: an operator's TOML, as it is written and as it holds.

use std::collections::HashMap;
use std::str::FromStr;

use csv::StringRecord;
use serde::Deserialize;
use wire::limits::{NAME_BYTES_MAX, PROPERTIES_MAX};

use super::ImportError;
use super::time::{TimeFormError, Times};

/// Which column means what, checked (examples/import/clickstream.toml shows one).
#[derive(Clone, Debug)]
pub struct Map {
    pub(super) columns: Columns<String>,
    /// Columns kept as properties under their own names.
    pub(super) properties: Vec<String>,
    pub(super) times: Times,
    /// Events' names to change, from and to.
    pub(super) names: HashMap<String, String>,
}

/// Why a text is not a map.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// Not TOML, a key too many or one too few: says where and what was expected.
    #[error("this is not an import map; examples/import/clickstream.toml is one")]
    Toml(#[from] toml::de::Error),
    /// The time zone or the form of times.
    #[error(transparent)]
    Time(#[from] TimeFormError),
    /// A column without a name.
    #[error("{key} names no column; leave the line out where the file has none")]
    ColumnUnnamed {
        /// The map's key.
        key: &'static str,
    },
    /// More properties than an event has.
    #[error("properties has {count} columns; an event keeps at most {PROPERTIES_MAX}")]
    TooManyProperties {
        /// How many the map has.
        count: usize,
    },
    /// A property that cannot be one, or is named twice.
    #[error(
        "properties has {name:?}; each is a column's name of 1 to {NAME_BYTES_MAX} bytes, named once"
    )]
    Property {
        /// The column.
        name: String,
    },
    /// A name that no event may have.
    #[error("values changes {from:?} to {to:?}; an event's name is 1 to {NAME_BYTES_MAX} bytes")]
    Value {
        /// The name in the file.
        from: String,
        /// The name it should get.
        to: String,
    },
}

/// A map as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMap {
    #[serde(rename = "format")]
    _format: Format,
    time_zone: Option<String>,
    time_format: Option<String>,
    #[serde(default)]
    properties: Vec<String>,
    columns: Columns<String>,
    #[serde(default)]
    values: HashMap<String, String>,
}

/// How files are written. There is one way so far; the map says so, that another may come.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Csv,
}

/// A column for each thing an event has: by name in a map, by place in a file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Columns<C> {
    pub(super) time: C,
    pub(super) visitor: C,
    pub(super) name: C,
    pub(super) session: Option<C>,
    pub(super) user: Option<C>,
    pub(super) url: Option<C>,
    pub(super) referrer: Option<C>,
    pub(super) title: Option<C>,
    pub(super) device: Option<C>,
    pub(super) browser: Option<C>,
    pub(super) os: Option<C>,
    pub(super) country: Option<C>,
    pub(super) source: Option<C>,
    pub(super) medium: Option<C>,
    pub(super) channel: Option<C>,
    pub(super) campaign: Option<C>,
}

impl<C> Columns<C> {
    /// The same columns, each as `place` gives it; it is told the map's key too.
    fn each<P, E>(
        &self,
        mut place: impl FnMut(&'static str, &C) -> Result<P, E>,
    ) -> Result<Columns<P>, E> {
        let mut optional =
            |key, column: &Option<C>| column.as_ref().map(|column| place(key, column)).transpose();
        Ok(Columns {
            session: optional("columns.session", &self.session)?,
            user: optional("columns.user", &self.user)?,
            url: optional("columns.url", &self.url)?,
            referrer: optional("columns.referrer", &self.referrer)?,
            title: optional("columns.title", &self.title)?,
            device: optional("columns.device", &self.device)?,
            browser: optional("columns.browser", &self.browser)?,
            os: optional("columns.os", &self.os)?,
            country: optional("columns.country", &self.country)?,
            source: optional("columns.source", &self.source)?,
            medium: optional("columns.medium", &self.medium)?,
            channel: optional("columns.channel", &self.channel)?,
            campaign: optional("columns.campaign", &self.campaign)?,
            time: place("columns.time", &self.time)?,
            visitor: place("columns.visitor", &self.visitor)?,
            name: place("columns.name", &self.name)?,
        })
    }
}

impl Columns<String> {
    /// Finds the columns in a file.
    pub(super) fn places(&self, header: &StringRecord) -> Result<Columns<usize>, ImportError> {
        self.each(|_, column| place(column, header))
    }
}

/// Where a column stands in a file.
pub(super) fn place(column: &str, header: &StringRecord) -> Result<usize, ImportError> {
    let mut found = header.iter().enumerate().filter(|(_, name)| *name == column);
    match (found.next(), found.next()) {
        (Some((place, _)), None) => Ok(place),
        (Some(_), Some(_)) => Err(ImportError::ColumnTwice { column: column.to_owned() }),
        (None, _) => Err(ImportError::ColumnMissing {
            column: column.to_owned(),
            columns: super::report::shown(&header.iter().collect::<Vec<_>>().join(", "), 500),
        }),
    }
}

impl FromStr for Map {
    type Err = MapError;

    fn from_str(text: &str) -> Result<Self, MapError> {
        let raw: RawMap = toml::from_str(text)?;
        let columns = raw.columns.each(|key, column| match column.trim() {
            "" => Err(MapError::ColumnUnnamed { key }),
            column => Ok(column.to_owned()),
        })?;
        let count = raw.properties.len();
        if count > PROPERTIES_MAX {
            return Err(MapError::TooManyProperties { count });
        }
        let named = |text: &str| (1..=NAME_BYTES_MAX).contains(&text.len());
        for (at, name) in raw.properties.iter().enumerate() {
            if !named(name) || raw.properties.iter().take(at).any(|before| before == name) {
                return Err(MapError::Property { name: name.clone() });
            }
        }
        if let Some((from, to)) = raw.values.iter().find(|(_, to)| !named(to.trim())) {
            return Err(MapError::Value { from: from.clone(), to: to.clone() });
        }
        let times = Times::new(raw.time_zone.as_deref(), raw.time_format.as_deref())?;
        let names = raw.values.into_iter().map(|(from, to)| (from, to.trim().to_owned())).collect();
        Ok(Self { columns, properties: raw.properties, times, names })
    }
}
