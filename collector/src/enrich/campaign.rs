//! What the page's own address says of where the visit came from (`utm_*`).

use std::borrow::Cow;

use url::form_urlencoded;
use wire::limits::NAME_BYTES_MAX;

use super::event::Traffic;
use super::scrub::cut_clean_cow;
use super::{channel, page};

/// Click ids that ad platforms add to a landing page's address: whose, and how the visit was paid.
/// Facebook's and Pinterest's stand on unpaid links too, so they say nothing of the medium's price
/// ([`is_paid`]), and stay in an address that is passed on.
pub(super) const CLICK_IDS: [(&str, &str, &str); 14] = [
    ("gclid", "google", "cpc"),
    ("gbraid", "google", "cpc"),
    ("wbraid", "google", "cpc"),
    ("dclid", "google", "display"),
    ("msclkid", "bing", "cpc"),
    ("ttclid", "tiktok", "paid-social"),
    ("twclid", "twitter", "paid-social"),
    ("li_fat_id", "linkedin", "paid-social"),
    ("sccid", "snapchat", "paid-social"),
    ("ScCid", "snapchat", "paid-social"),
    ("rdt_cid", "reddit", "paid-social"),
    ("epik", "pinterest", "social"),
    ("yclid", "yandex", "cpc"),
    ("fbclid", "facebook", "social"),
];

/// Whether a click id's medium says that the click was paid for.
pub(super) fn is_paid(medium: &str) -> bool {
    medium != "social"
}

/// The traffic named by the address's `utm_*` parameters, or by an ad platform's click id; `None`
/// where it names neither a source nor a medium nor a campaign. The first of equal parameters counts.
/// `before` is what the page before says, where that is another site's: it knows better than an id that
/// says nothing of a paid click (`fbclid` is on links of Instagram, and of whoever passed one on).
pub(super) fn traffic<'a>(
    query: &'a str,
    before: impl FnOnce() -> Option<Traffic<'a>>,
) -> Option<Traffic<'a>> {
    if query.is_empty() {
        return None;
    }
    let mut found = Traffic::default();
    let mut clicked: Option<&(_, _, &str)> = None;
    for (name, value) in parameters(query) {
        let place = match &*name {
            "utm_source" => &mut found.source,
            "utm_medium" => &mut found.medium,
            "utm_campaign" => &mut found.campaign,
            "utm_term" => &mut found.term,
            "utm_content" => &mut found.content,
            name if !value.is_empty() => {
                if clicked.is_none_or(|(.., medium)| !is_paid(medium)) {
                    let click = CLICK_IDS.iter().find(|(id, ..)| *id == name);
                    clicked = click.filter(|(.., medium)| is_paid(medium)).or(clicked).or(click);
                }
                continue;
            }
            _ => continue,
        };
        if place.is_empty() {
            *place = cut_clean_cow(value, NAME_BYTES_MAX);
        }
    }
    if let (Some((_, source, medium)), true, true) =
        (clicked, found.source.is_empty(), found.medium.is_empty())
    {
        let before = if is_paid(medium) { None } else { before() };
        (found.source, found.medium) = before.map_or_else(
            || ((*source).into(), (*medium).into()),
            |before| (before.source, before.medium),
        );
    }
    if found.source.is_empty() && found.medium.is_empty() && found.campaign.is_empty() {
        return None;
    }
    found.channel = channel::of(&found.source, &found.medium, &found.campaign).into();
    Some(found)
}

/// The parameters of a query, decoded. Most have nothing to decode.
pub(super) fn parameters(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    page::parameters(query).filter_map(|parameter| {
        if parameter.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
            return form_urlencoded::parse(parameter.as_bytes()).next();
        }
        let (name, value) = page::split_at_byte(parameter, b'=').unwrap_or((parameter, ""));
        Some((name.into(), value.into()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_parameter_and_names_the_channel() {
        let query = "x=1&utm_source=google&utm_medium=cpc&utm_campaign=spring%20sale&utm_term=red+shoes&utm_content=a";
        let found = traffic(query, || None).unwrap();
        assert_eq!(
            (&*found.source, &*found.medium, &*found.channel),
            ("google", "cpc", "Paid Search")
        );
        assert_eq!(
            (&*found.campaign, &*found.term, &*found.content),
            ("spring sale", "red shoes", "a")
        );
    }

    #[test]
    fn a_click_id_names_what_the_campaign_does_not() {
        let told = |query| {
            let found = traffic(query, || None)?;
            Some((found.source.into_owned(), found.channel.into_owned()))
        };
        let cases = [
            ("gclid=a", Some(("google", "Paid Search"))),
            ("x=1&msclkid=a", Some(("bing", "Paid Search"))),
            ("ttclid=a", Some(("tiktok", "Paid Social"))),
            ("fbclid=a", Some(("facebook", "Organic Social"))),
            ("fbclid=a&utm_source=fb&utm_medium=cpc", Some(("fb", "Paid Social"))),
            ("gclid=", None),
            ("notgclid=a", None),
        ];
        for (query, expected) in cases {
            let expected =
                expected.map(|(source, channel)| (source.to_owned(), channel.to_owned()));
            assert_eq!(told(query), expected, "{query}");
        }
    }

    #[test]
    fn says_nothing_where_the_address_does() {
        for query in ["q=shoes", "utm_term=x", "utm_source="] {
            assert_eq!(traffic(query, || panic!("nobody asks for it")), None);
        }
    }
}
