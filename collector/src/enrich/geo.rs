//! Where an address is, by databases in the MaxMind format.
//!
//! Two layouts are read: MaxMind's own (`country.iso_code`, `city.names.en`, `subdivisions`) and the
//! flat one of the free databases on npm (`country_code`, `city`, `state1`).

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use maxminddb::{MaxMindDbError, Reader, WithinOptions};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use store::site::PlaceDetail;

use super::told::PlaceTold;

/// Where an address is, as far as it is known; the rest is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    /// ISO 3166-1 alpha-2.
    pub(crate) country: &'a str,
    pub(crate) region: &'a str,
    pub(crate) city: &'a str,
}

impl<'a> Place<'a> {
    /// As much of it as a site keeps.
    pub(crate) const fn in_detail(self, detail: PlaceDetail) -> Self {
        let Self { country, region, .. } = self;
        match detail {
            PlaceDetail::City => self,
            PlaceDetail::Region => Self { country, region, city: "" },
            PlaceDetail::Country => Self { country, region: "", city: "" },
            PlaceDetail::None => Self { country: "", region: "", city: "" },
        }
    }

    /// What a proxy told, and only where that is the same country what the databases know beside it: a
    /// city is not to stand in another country.
    pub(super) fn completing(self, told: &'a PlaceTold<'_>) -> Self {
        if told.country.is_empty() {
            return self;
        }
        let beside = if self.country == told.country { self } else { Self::default() };
        Self {
            country: told.country,
            region: either(&told.region, beside.region),
            city: either(&told.city, beside.city),
        }
    }
}

/// Databases by their files: nothing in the place of one that could never be read.
#[derive(Clone, Debug, Default)]
pub(super) struct Databases(Vec<Option<Arc<Reader<Vec<u8>>>>>);

impl Databases {
    /// Opens what can be opened; a file that cannot is reported.
    pub(super) fn open(files: &[PathBuf]) -> Self {
        Self(files.iter().map(open).collect())
    }

    /// The same files as they are now, and whether all could be read; one that cannot stays what it was.
    pub(super) fn again(&self, files: &[PathBuf]) -> (Self, bool) {
        let former = self.0.iter().cloned().chain(std::iter::repeat(None));
        let fresh = Self::open(files);
        let whole = fresh.0.iter().all(Option::is_some);
        let kept = fresh.0.into_iter().zip(former).map(|(fresh, former)| fresh.or(former));
        (Self(kept.collect()), whole)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Reader<Vec<u8>>> {
        self.0.iter().flatten().map(|database| &**database)
    }

    /// When the oldest was built, in seconds since 1970; nought where there is none.
    pub(super) fn built(&self) -> u64 {
        self.iter().map(|database| database.metadata().build_epoch).min().unwrap_or_default()
    }
}

/// The databases, asked in order: the first that knows a part tells it. Several, because free ones
/// come as one file for each family of addresses.
#[derive(Debug, Default)]
pub(crate) struct Geo {
    databases: Databases,
}

impl Geo {
    /// Opens what can be opened; a file that cannot is reported and leaves places unknown. Counting
    /// visits without their country is better than not counting them.
    pub(crate) fn open(files: &[PathBuf]) -> Self {
        Self { databases: Databases::open(files) }
    }

    /// As [`Databases::again`].
    pub(super) fn again(&self, files: &[PathBuf]) -> (Self, bool) {
        let (databases, whole) = self.databases.again(files);
        (Self { databases }, whole)
    }

    /// When the oldest file was built, in seconds since 1970; nought where there is none.
    pub(super) fn built(&self) -> u64 {
        self.databases.built()
    }

    pub(crate) fn place(&self, ip: IpAddr) -> Place<'_> {
        // An IPv4 address that came through an IPv6 socket.
        let ip = ip.to_canonical();
        let mut place = Place::default();
        for database in self.databases.iter() {
            let Some(found) = look_up(database, ip) else { continue };
            place.country = either(place.country, found.country);
            place.region = either(place.region, found.region);
            place.city = either(place.city, found.city);
        }
        place
    }
}

/// A database that is whole, or a word of why not. A broken one could answer anything, so all of it
/// is looked through, once.
fn open(path: &PathBuf) -> Option<Arc<Reader<Vec<u8>>>> {
    Reader::open_readfile(path)
        .and_then(|database| verify(&database).map(|()| Arc::new(database)))
        .inspect_err(|error| {
            tracing::warn!(file = %path.display(), %error, "cannot read a geo or network file");
        })
        .ok()
}

/// The crate's own check also refuses a database that does not describe itself, as the free ones on
/// npm do not; of such a one every record is read instead.
fn verify(database: &Reader<Vec<u8>>) -> Result<(), MaxMindDbError> {
    match database.verify() {
        Err(MaxMindDbError::InvalidDatabase { message, .. })
            if message.starts_with("description") => {}
        checked => return checked,
    }
    let mut read = HashSet::new();
    for found in database.networks(WithinOptions::default())? {
        let found = found?;
        if found.offset().is_some_and(|offset| read.insert(offset)) {
            found.decode::<IgnoredAny>()?;
        }
    }
    Ok(())
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
#[expect(clippy::print_stderr, reason = "what was measured is told")]
mod tests {
    use ipnet::IpNet;

    use super::*;
    use crate::enrich::mmdb;
    use crate::enrich::reference::{as_asked, geo_source, reference_data, told_of};

    /// MaxMind's own test database, where the reference data are.
    fn reference(test: &str, file: &str) -> Option<PathBuf> {
        Some(reference_data(test)?.join("geo/test-data").join(file))
    }

    #[test]
    fn a_proxy_is_believed_and_completed_only_within_its_country() {
        let known = Place { country: "HR", region: "Grad Zagreb", city: "Zagreb" };
        let told = |country, city: &'static str| PlaceTold {
            country,
            city: city.into(),
            ..PlaceTold::default()
        };
        let place = |told: PlaceTold<'static>| {
            let Place { country, region, city } = known.completing(&told);
            [country, region, city].map(str::to_owned)
        };
        assert_eq!(place(told("HR", "Split")), ["HR", "Grad Zagreb", "Split"]);
        assert_eq!(place(told("HR", "")), ["HR", "Grad Zagreb", "Zagreb"]);
        assert_eq!(place(told("DE", "")), ["DE", "", ""]);
        assert_eq!(place(told("", "Split")), ["HR", "Grad Zagreb", "Zagreb"]);
    }

    #[test]
    fn a_site_keeps_only_so_much() {
        let known = Place { country: "HR", region: "Grad Zagreb", city: "Zagreb" };
        assert_eq!(known.in_detail(PlaceDetail::City), known);
        assert_eq!(known.in_detail(PlaceDetail::Region), Place { city: "", ..known });
        assert_eq!(
            known.in_detail(PlaceDetail::Country),
            Place { country: "HR", ..Place::default() }
        );
        assert_eq!(known.in_detail(PlaceDetail::None), Place::default());
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

    /// The layout of the free databases on npm, one file for each family of addresses.
    #[test]
    fn reads_the_flat_layout_of_one_file_for_each_family() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, network: &str, fields: [&str; 3]| {
            let path = folder.path().join(name);
            let [country, state, city] = fields.map(mmdb::text);
            let latitude = [&[0x68][..], &45.8_f64.to_be_bytes()].concat();
            let record = mmdb::map(&[
                ("city", &city),
                ("country_code", &country),
                ("latitude", &latitude),
                ("state1", &state),
            ]);
            let bytes = mmdb::database("dbip-city", network.parse().unwrap(), &record);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let v4 = file("v4.mmdb", "192.0.2.0/24", ["HR", "City of Zagreb", "Zagreb"]);
        let v6 = file("v6.mmdb", "2001:db8::/32", ["HR", "Split-Dalmatia", "Split"]);
        let place = |files: &[PathBuf], ip: &str| {
            let geo = Geo::open(files);
            let Place { country, region, city } = geo.place(ip.parse().unwrap());
            [country, region, city].map(str::to_owned)
        };
        let both = [v4.clone(), v6.clone()];
        for files in [both.clone(), [v6, v4.clone()]] {
            let zagreb = ["HR", "City of Zagreb", "Zagreb"];
            assert_eq!(place(&files, "192.0.2.255"), zagreb);
            assert_eq!(place(&files, "::ffff:192.0.2.7"), zagreb);
            assert_eq!(place(&files, "2001:db8:ffff::7"), ["HR", "Split-Dalmatia", "Split"]);
            for unknown in ["192.0.3.7", "2001:db9::7", "::", "0.0.0.0"] {
                assert_eq!(place(&files, unknown), [""; 3], "{unknown}");
            }
        }
        assert_eq!(place(&[v4], "2001:db8::7"), [""; 3], "a file of the other family alone");
    }

    #[test]
    fn a_missing_file_leaves_places_unknown() {
        let missing = Geo::open(&["no-such-file.mmdb".into()]);
        assert_eq!(missing.place("81.2.69.142".parse().unwrap()), Place::default());
    }

    fn expected<'a>(source: &'a [(IpNet, serde_json::Value)], ip: IpAddr) -> Place<'a> {
        let Some(record) = told_of(source, ip) else { return Place::default() };
        let text = |pointer| {
            record.pointer(pointer).and_then(serde_json::Value::as_str).unwrap_or_default()
        };
        Place {
            country: text("/country/iso_code"),
            region: text("/subdivisions/0/names/en"),
            city: text("/city/names/en"),
        }
    }

    #[test]
    fn every_network_is_where_its_source_says() {
        let Some(folder) = reference_data("every_network_is_where_its_source_says") else { return };
        for name in ["GeoIP2-City-Test", "GeoIP2-Country-Test", "GeoLite2-City-Test"] {
            let geo = Geo::open(&[folder.join("geo/test-data").join(format!("{name}.mmdb"))]);
            let source = geo_source(&folder, name);
            assert!(source.len() > 200, "{name}");
            for (network, _) in &source {
                for ip in [network.network(), network.broadcast()] {
                    assert_eq!(
                        geo.place(as_asked(ip)),
                        expected(&source, ip),
                        "{name} {network} {ip}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_broken_file_is_refused() {
        let Some(folder) = reference_data("a_broken_file_is_refused") else { return };
        for name in [
            "GeoIP2-City-Test-Broken-Double-Format.mmdb",
            "GeoIP2-City-Test-Invalid-Node-Count.mmdb",
            "MaxMind-DB-test-broken-pointers-24.mmdb",
            "MaxMind-DB-test-broken-search-tree-24.mmdb",
        ] {
            assert!(open(&folder.join("geo/test-data").join(name)).is_none(), "{name}");
        }
    }

    #[test]
    fn agrees_with_what_several_databases_say() {
        let test = "agrees_with_what_several_databases_say";
        let Some(folder) = reference_data(test) else { return };
        let Some(file) = std::env::var_os("FOOTFALL_TEST_GEO_FILE").map(PathBuf::from) else {
            eprintln!("{test}: not run, no country database is named (FOOTFALL_TEST_GEO_FILE)");
            return;
        };
        let geo = Geo::open(&[file]);
        let list = std::fs::read_to_string(folder.join("geo/consensus_country_ipv4.csv")).unwrap();
        let (mut all, mut agreed) = (0, 0);
        for line in list.lines().skip(1) {
            let mut columns = line.split(',');
            let ip = columns.next().unwrap().parse().unwrap();
            all += 1;
            agreed += u32::from(geo.place(ip).country == columns.next().unwrap());
        }
        eprintln!("countries: {agreed} of {all} as several databases say");
        assert!(all >= 1_500 && agreed * 100 >= all * 95, "{agreed} of {all}");
    }
}
