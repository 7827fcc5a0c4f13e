//! The crate against what the platforms' own libraries make of 40 people (`../vectors.json`, which
//! names the libraries and their versions under `legend`).

#![allow(
    clippy::unwrap_used,
    reason = "a helper that cannot read its own test data has nothing to fall back to"
)]

mod browser;

use identifier::{Country, Email, Kind, PersonName, Phone, Zip, from_traits};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The people of `vectors.json`.
fn people() -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("../vectors.json")).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

fn id(person: &Value) -> &str {
    person["id"].as_str().unwrap()
}

/// A raw field; an absent one is empty.
fn raw<'a>(person: &'a Value, field: &str) -> &'a str {
    person["raw"][field].as_str().unwrap_or_default()
}

fn region(person: &Value) -> Option<Country> {
    Country::parse(raw(person, "default_region")).ok()
}

/// Google's hash of a field. Where the reference shows the text it hashed, that is checked too.
fn google<'a>(person: &'a Value, field: &str) -> Option<&'a str> {
    let hash = person["google"]["sha256_hex"][field].as_str();
    if let Some(text) = person["google"]["normalized"][field].as_str() {
        assert_eq!(
            hash,
            Some(hex::encode(Sha256::digest(text)).as_str()),
            "{} {field}",
            id(person)
        );
    }
    hash
}

fn meta<'a>(person: &'a Value, key: &str) -> Option<&'a str> {
    person["meta"]["expected"][key]["sha256_hex"].as_str()
}

/// Compares every person's field and says how many had one.
fn compare(
    name: &str,
    ours: impl Fn(&Value) -> Option<String>,
    theirs: impl Fn(&Value) -> Option<String>,
) -> usize {
    let mut compared = 0;
    for person in people() {
        let (ours, theirs) = (ours(&person), theirs(&person));
        assert_eq!(ours, theirs, "{name} of {}", id(&person));
        compared += usize::from(theirs.is_some());
    }
    compared
}

#[test]
fn every_email_is_hashed_as_google_and_meta_do() {
    let email = |person: &Value| Email::parse(raw(person, "email")).ok();
    let ours = |person: &Value| email(person).map(|email| email.google().to_string());
    assert_eq!(compare("google email", ours, |person| google(person, "email").map(Into::into)), 34);
    let ours = |person: &Value| email(person).map(|email| email.meta().to_string());
    assert_eq!(compare("meta email", ours, |person| meta(person, "EMAIL").map(Into::into)), 34);
}

#[test]
fn every_phone_is_hashed_as_google_and_meta_do() {
    let phone = |person: &Value| Phone::parse(raw(person, "phone"), region(person)).ok();
    let ours = |person: &Value| phone(person).map(|phone| phone.google().to_string());
    assert_eq!(compare("google phone", ours, |person| google(person, "phone").map(Into::into)), 31);
    let ours = |person: &Value| phone(person).map(|phone| phone.meta().to_string());
    assert_eq!(compare("meta phone", ours, |person| meta(person, "PHONE").map(Into::into)), 31);
}

/// Google takes a name only with both names, the country and the postal code, so the reference shows
/// nothing for the people who lack one of them; that rule is the destination's, not this crate's.
fn address_whole(person: &Value) -> bool {
    ["first_name", "last_name", "zip", "country"]
        .iter()
        .all(|field| !raw(person, field).trim().is_empty())
}

#[test]
fn every_name_is_hashed_as_google_does() {
    for field in ["first_name", "last_name"] {
        let ours = |person: &Value| {
            let name =
                PersonName::parse(raw(person, field)).ok().filter(|_| address_whole(person))?;
            Some(name.google().to_string())
        };
        assert_eq!(compare(field, ours, |person| google(person, field).map(Into::into)), 27);
    }
}

#[test]
fn every_country_and_postal_code_is_as_google_wants_it() {
    let ours = |person: &Value| {
        Country::parse(raw(person, "country")).ok().map(|country| country.to_string())
    };
    let theirs = |person: &Value| person["canonical"]["country_alpha2"].as_str().map(Into::into);
    assert_eq!(compare("country", ours, theirs), 38);
    let ours = |person: &Value| {
        Zip::parse(raw(person, "zip"))
            .ok()
            .filter(|_| address_whole(person))
            .map(|zip| zip.to_string())
    };
    let theirs = |person: &Value| person["google"]["normalized"]["zip"].as_str().map(Into::into);
    assert_eq!(compare("zip", ours, theirs), 27);
}

#[test]
fn traits_give_the_same_hashes() {
    let fields = ["email", "phone", "first_name", "last_name", "country", "zip"];
    for person in people() {
        let traits = fields.iter().map(|field| (*field, raw(&person, field)));
        let found = from_traits(traits, Some(raw(&person, "default_region")));
        let of = |kind: Kind| {
            found.iter().find(|identifier| identifier.kind == kind).map(|it| it.value.as_str())
        };
        assert_eq!(of(Kind::EmailGoogle), google(&person, "email"), "{}", id(&person));
        assert_eq!(of(Kind::EmailMeta), meta(&person, "EMAIL"), "{}", id(&person));
        assert_eq!(of(Kind::Phone), google(&person, "phone"), "{}", id(&person));
        assert_eq!(of(Kind::PhoneMeta), meta(&person, "PHONE"), "{}", id(&person));
    }
}
