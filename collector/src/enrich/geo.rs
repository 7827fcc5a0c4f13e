//! Where an address is, by databases in the MaxMind format.
//!
//! Two layouts are read: MaxMind's own (`country.iso_code`, `city.names.en`, `subdivisions`) and the
//! flat one of the free databases on npm (`country_code`, `city`, `state1`).

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use maxminddb::Reader;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

/// Where an address is, as far as it is known; the rest is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    /// ISO 3166-1 alpha-2.
    pub(crate) country: &'a str,
    pub(crate) region: &'a str,
    pub(crate) city: &'a str,
}

/// The databases, asked in order: the first that knows a part tells it. Several, because free ones
/// come as one file for each family of addresses.
#[derive(Debug, Default)]
pub(crate) struct Geo {
    databases: Vec<Reader<Vec<u8>>>,
}

impl Geo {
    /// Opens what can be opened; a file that cannot is reported and leaves places unknown. Counting
    /// visits without their country is better than not counting them.
    pub(crate) fn open(files: &[PathBuf]) -> Self {
        Self { databases: files.iter().filter_map(open).collect() }
    }

    pub(crate) fn place(&self, ip: IpAddr) -> Place<'_> {
        // An IPv4 address that came through an IPv6 socket.
        let ip = ip.to_canonical();
        let mut place = Place::default();
        for database in &self.databases {
            let Some(found) = look_up(database, ip) else { continue };
            place.country = either(place.country, found.country);
            place.region = either(place.region, found.region);
            place.city = either(place.city, found.city);
        }
        place
    }
}

/// A database, or a word of why not.
pub(super) fn open(path: &PathBuf) -> Option<Reader<Vec<u8>>> {
    Reader::open_readfile(path)
        .inspect_err(|error| {
            tracing::warn!(file = %path.display(), %error, "cannot read a geo file, what it knows stays unknown");
        })
        .ok()
}

const fn either<'a>(known: &'a str, found: &'a str) -> &'a str {
    if known.is_empty() { found } else { known }
}

/// `None` also where the file is damaged at this place, or has addresses of the other family only.
fn look_up(database: &Reader<Vec<u8>>, ip: IpAddr) -> Option<Place<'_>> {
    database.lookup(ip).ok()?.decode::<Record<'_>>().ok()?.map(Record::place)
}

/// Both layouts in one. Whatever else a record has is left out.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Record<'a> {
    #[serde(borrow)]
    country: Country<'a>,
    #[serde(borrow)]
    country_code: &'a str,
    #[serde(borrow)]
    subdivisions: Vec<Name<'a>>,
    #[serde(borrow)]
    state1: &'a str,
    #[serde(borrow)]
    city: Name<'a>,
}

impl<'a> Record<'a> {
    fn place(self) -> Place<'a> {
        let country = either(self.country.iso_code, self.country_code);
        let is_code = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
        let region = self.subdivisions.first().map_or(self.state1, |subdivision| subdivision.0);
        Place { country: if is_code { country } else { "" }, region, city: self.city.0 }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Country<'a> {
    #[serde(borrow)]
    iso_code: &'a str,
}

/// A place's name: plain text (flat), or English among `names` (nested).
#[derive(Debug, Default)]
struct Name<'a>(&'a str);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameVisitor).map(Name)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = &'de str;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a name, or an object with names")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<&'de str, E> {
        Ok(name)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<&'de str, A::Error> {
        let mut name = "";
        while let Some(key) = map.next_key::<&str>()? {
            match key {
                "names" => name = map.next_value::<Names<'de>>()?.en,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(name)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Names<'a> {
    #[serde(borrow)]
    en: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enrich::reference::reference_data;

    /// MaxMind's own test database, where the reference data are.
    fn reference(test: &str, file: &str) -> Option<PathBuf> {
        Some(reference_data(test)?.join("geo/test-data").join(file))
    }

    #[test]
    fn reads_both_layouts() {
        let nested = r#"{"continent":{"code":"EU"},"country":{"iso_code":"HR","names":{"de":"Kroatien"}},
            "city":{"geoname_id":1,"names":{"de":"Agram","en":"Zagreb"}},
            "subdivisions":[{"iso_code":"21","names":{"en":"City of Zagreb"}},{"names":{"en":"Maksimir"}}]}"#;
        let flat =
            r#"{"country_code":"HR","city":"Zagreb","state1":"City of Zagreb","latitude":45.8}"#;
        for layout in [nested, flat] {
            let record: Record<'_> = serde_json::from_str(layout).unwrap();
            let expected = Place { country: "HR", region: "City of Zagreb", city: "Zagreb" };
            assert_eq!(record.place(), expected, "{layout}");
        }
        let unknown: Record<'_> = serde_json::from_str(r#"{"country_code":"None"}"#).unwrap();
        assert_eq!(unknown.place(), Place::default());
    }

    #[test]
    fn reads_the_nested_layout() {
        let Some(file) = reference("reads_the_nested_layout", "GeoLite2-City-Test.mmdb") else {
            return;
        };
        let geo = Geo::open(&[file]);
        let place = |ip: &str| geo.place(ip.parse().unwrap());
        assert_eq!(
            place("81.2.69.142"),
            Place { country: "GB", region: "England", city: "London" }
        );
        assert_eq!(place("::ffff:81.2.69.142"), place("81.2.69.142"));
        assert_eq!(place("2001:218::1").country, "JP");
        assert_eq!(place("127.0.0.1"), Place::default());
    }

    #[test]
    fn a_damaged_or_missing_file_leaves_places_unknown() {
        let missing = Geo::open(&["no-such-file.mmdb".into()]);
        assert_eq!(missing.place("81.2.69.142".parse().unwrap()), Place::default());
        for file in [
            "MaxMind-DB-test-broken-pointers-24.mmdb",
            "MaxMind-DB-test-broken-search-tree-24.mmdb",
        ] {
            let test = "a_damaged_or_missing_file_leaves_places_unknown";
            let Some(file) = reference(test, file) else { continue };
            let geo = Geo::open(&[file]);
            for last in 0..=255_u8 {
                geo.place(IpAddr::from([1, 1, 1, last]));
            }
        }
    }
}
