//! What a site adds to an event, as pairs of texts: nested objects become dotted names.

use std::borrow::Cow;
use std::fmt;
use std::ops::AddAssign;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use wire::limits::{
    NAME_BYTES_MAX, PROPERTIES_DEPTH_MAX, PROPERTIES_MAX, PROPERTY_BYTES_MAX,
    PROPERTY_LIST_BYTES_MAX,
};

use super::{DropReason, cut, cut_cow};
use crate::enrich::cut_clean_cow;

/// Bytes of a name that is put together: more than is looked at where it is cut. One from outside may be as
/// long as a body, and stand above as many others as fit into the rest of it.
const DOTTED_BYTES_MAX: usize = 4 * NAME_BYTES_MAX;

/// A name and a value, borrowed from the request where the JSON has no escape in them.
pub(crate) type Property<'a> = (Cow<'a, str>, Cow<'a, str>);

/// What an event has room for, and how much that is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Properties<'a> {
    pub(crate) pairs: Vec<Property<'a>>,
    pub(crate) left_out: PropertiesLeftOut,
}

/// How many properties were left out, for being too many or too deep. An object among them is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PropertiesLeftOut {
    pub(crate) too_many: u32,
    pub(crate) too_deep: u32,
}

impl PropertiesLeftOut {
    /// Why, as the metric names it; in the order of [`Self::counts`].
    pub(crate) const REASONS: [&str; 2] = ["too_many", "too_deep"];

    pub(crate) const fn counts(self) -> [u32; 2] {
        [self.too_many, self.too_deep]
    }
}

impl AddAssign for PropertiesLeftOut {
    fn add_assign(&mut self, other: Self) {
        self.too_many += other.too_many;
        self.too_deep += other.too_deep;
    }
}

/// Flattens a JSON object. Texts are taken bare, numbers and truth values as they are written, lists
/// as JSON; `null` is nothing, and whatever exceeds the limits is counted.
pub(crate) fn flatten(raw: Option<&RawValue>) -> Result<Properties<'_>, DropReason> {
    let mut properties = Properties::default();
    match raw.map(RawValue::get) {
        None | Some("null") => Ok(properties),
        Some(object) if object.starts_with('{') => {
            flatten_object(object, "", 1, &mut properties);
            Ok(properties)
        }
        Some(_) => Err(DropReason::PropertiesNotObject),
    }
}

fn flatten_object<'a>(object: &'a str, prefix: &str, depth: usize, flat: &mut Properties<'a>) {
    let mut json = serde_json::Deserializer::from_str(object);
    let walk = Object { prefix, depth, flat };
    // Cannot fail: whoever made the `RawValue` has read it as JSON already.
    if let Err(error) = json.deserialize_map(walk) {
        tracing::debug!(%error, "properties that were JSON are no longer");
    }
}

struct Object<'p, 'de> {
    prefix: &'p str,
    depth: usize,
    flat: &'p mut Properties<'de>,
}

impl<'de> Visitor<'de> for Object<'_, 'de> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((name, value)) = map.next_entry::<wire::Text<'de>, &'de RawValue>()? {
            if self.flat.pairs.len() >= PROPERTIES_MAX {
                self.flat.left_out.too_many += u32::from(value.get() != "null");
                continue;
            }
            let value = value.get();
            match value.as_bytes().first() {
                Some(b'{') if self.depth < PROPERTIES_DEPTH_MAX => {
                    let dotted = dotted(self.prefix, name.0);
                    flatten_object(value, &dotted, self.depth + 1, self.flat);
                }
                Some(b'{') => self.flat.left_out.too_deep += 1,
                Some(b'n') | None => {}
                Some(b'"') => {
                    if let Ok(text) = serde_json::from_str::<wire::Text<'de>>(value) {
                        self.flat.pairs.push(pair(dotted(self.prefix, name.0), text.0));
                    }
                }
                Some(b'[') => {
                    let name = cut_clean_cow(dotted(self.prefix, name.0), NAME_BYTES_MAX);
                    self.flat.pairs.push((name, list(value)));
                }
                Some(_) => {
                    self.flat.pairs.push(pair(dotted(self.prefix, name.0), value.into()));
                }
            }
        }
        Ok(())
    }
}

/// The name under the one above it, as far as it is looked at.
fn dotted<'a>(above: &str, name: Cow<'a, str>) -> Cow<'a, str> {
    if above.is_empty() {
        return cut_cow(name, DOTTED_BYTES_MAX);
    }
    let dotted = format!("{above}.{}", cut(&name, DOTTED_BYTES_MAX));
    cut_cow(dotted.into(), DOTTED_BYTES_MAX)
}

/// A list as it was written, or with as many of its entries as the limit has room for: cut in the midst of
/// one it would be no JSON.
fn list(json: &str) -> Cow<'_, str> {
    if json.len() <= PROPERTY_LIST_BYTES_MAX {
        return json.into();
    }
    let mut kept = String::from("[");
    for entry in serde_json::from_str::<Vec<&RawValue>>(json).unwrap_or_default() {
        if kept.len() + entry.get().len() + 2 > PROPERTY_LIST_BYTES_MAX {
            break;
        }
        if kept.len() > 1 {
            kept.push(',');
        }
        kept.push_str(entry.get());
    }
    kept.push(']');
    kept.into()
}

fn pair<'a>(name: Cow<'a, str>, value: Cow<'a, str>) -> Property<'a> {
    (cut_clean_cow(name, NAME_BYTES_MAX), cut_clean_cow(value, PROPERTY_BYTES_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(json: &str) -> Vec<(String, String)> {
        let raw = RawValue::from_string(json.to_owned()).unwrap();
        let pairs = flatten(Some(&raw)).unwrap().pairs.into_iter();
        pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn each_sort_of_value_has_a_text() {
        let json =
            r#"{"a":"x\n","b":1.50,"c":true,"d":null,"e":[1,"y"],"f":{"g":{"h":"z"}},"i":{}}"#;
        let expected =
            [("a", "x\n"), ("b", "1.50"), ("c", "true"), ("e", r#"[1,"y"]"#), ("f.g.h", "z")];
        assert_eq!(flat(json), pairs(&expected));
    }

    #[test]
    fn what_exceeds_the_limits_is_left_out_or_cut() {
        let deep = r#"{"a":{"b":{"c":{"d":1,"e":{"f":2}}}}}"#;
        assert_eq!(flat(deep), pairs(&[("a.b.c.d", "1")]));
        let many: Vec<_> = (0..PROPERTIES_MAX + 9).map(|n| format!("\"p{n}\":{n}")).collect();
        assert_eq!(flat(&format!("{{{}}}", many.join(","))).len(), PROPERTIES_MAX);
        let long = flat(&format!("{{\"a\":\"{}\"}}", "ž".repeat(PROPERTY_BYTES_MAX)));
        assert_eq!(long.first().map(|(_, value)| value.len()), Some(PROPERTY_BYTES_MAX));
    }

    #[test]
    fn of_a_long_list_the_last_entries_are_left_out() {
        let entry = format!("{{\"name\":\"{}\"}}", "x".repeat(100));
        let entries = |count| format!("[{}]", vec![entry.as_str(); count].join(","));
        let fits = PROPERTY_LIST_BYTES_MAX / (entry.len() + 1);
        let one = |json: &str| flat(&format!("{{\"products\":{json}}}")).remove(0).1;
        assert_eq!(one(&entries(fits)), entries(fits));
        assert_eq!(one(&entries(fits + 9)), entries(fits));
        assert_eq!(one(&format!("[\"{}\"]", "x".repeat(PROPERTY_LIST_BYTES_MAX))), "[]");
    }

    /// Were the name above copied for each of those that are nothing, this would copy terabytes.
    #[test]
    fn a_long_name_above_costs_nothing_where_nothing_is_below() {
        const BYTES: usize = 4 * 1024 * 1024;
        let name = "x".repeat(BYTES);
        for nothing in ["null", "{}", r#"{"":{"":{}}}"#] {
            let count = BYTES / (nothing.len() + 4);
            let below = vec![format!("\"\":{nothing}"); count].join(",");
            let json = format!("{{\"{name}\":{{{below},\"y\":1}}}}");
            assert_eq!(flat(&json), pairs(&[(cut(&name, NAME_BYTES_MAX), "1")]), "{nothing}");
        }
    }

    /// As if the whole name had been there to be looked at.
    #[test]
    fn a_name_is_cut_where_it_is_put_together() {
        let mail = format!("{}ana@shop.example", "x ".repeat(123));
        let below = format!("{mail}.y");
        let name = |json: &str| flat(json).remove(0).0;
        let expected = "x ".repeat(123);
        assert_eq!(name(&format!("{{\"{below}\":1}}")), expected);
        assert_eq!(name(&format!("{{\"{mail}\":{{\"y\":1}}}}")), expected);
        let long = format!("{mail} {}", "y".repeat(9000));
        assert_eq!(name(&format!("{{\"{long}\":{{\"y\":{{\"z\":1}}}}}}")), expected);
        let under = format!("{{\"a\":{{\"{long}\":{{\"z\":[1]}}}}}}");
        assert_eq!(name(&under), format!("a.{expected}"));
    }

    #[test]
    fn only_an_object_is_taken() {
        for json in ["5", "[]", "\"x\"", "true"] {
            let raw = RawValue::from_string(json.to_owned()).unwrap();
            assert_eq!(flatten(Some(&raw)), Err(DropReason::PropertiesNotObject), "{json}");
        }
        assert_eq!(flat("null"), []);
        assert_eq!(flatten(None), Ok(Properties::default()));
    }
}
