//! Which click on an advertisement led here, by the id that the ad platform put into the address, so
//! that a conversion can be told to the platform later.

use std::borrow::Cow;

use url::form_urlencoded;

use super::campaign::CLICK_IDS;
use super::scrub::Scrubbed;

/// Bytes of an id. Google names no limit; the longest seen, of Facebook, have some 200.
const CLICK_ID_BYTES_MAX: usize = 512;

/// A click on an advertisement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Click<'a> {
    /// The parameter's name, as the platform writes it.
    pub(crate) kind: &'static str,
    pub(crate) id: Cow<'a, str>,
}

/// The first click id of a query. One that is too long, or has anything in it but letters, digits and
/// `-_.~`, is none: a cut or mended id would be another click's.
pub(super) fn of(query: &str) -> Option<Click<'_>> {
    form_urlencoded::parse(query.as_bytes()).find_map(|(name, id)| {
        let (kind, ..) = CLICK_IDS.iter().find(|(known, ..)| *known == name)?;
        let is_id = (1..=CLICK_ID_BYTES_MAX).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
            && matches!(Scrubbed::default().text(&id), Cow::Borrowed(_));
        is_id.then_some(Click { kind, id })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_first_id_that_is_one() {
        let told = |query: &str| of(query).map(|click| (click.kind, click.id.into_owned()));
        let click = |kind, id: &str| Some((kind, id.to_owned()));
        assert_eq!(told("a=1&gclid=Cj0K-_x&fbclid=I"), click("gclid", "Cj0K-_x"));
        assert_eq!(told("ScCid=1b2c"), click("ScCid", "1b2c"));
        assert_eq!(told("gclid=&msclkid=a1"), click("msclkid", "a1"));
        assert_eq!(told("gclid=a%20b&ttclid=E.C.P"), click("ttclid", "E.C.P"));
        assert_eq!(told("gclid=%3Cscript%3E"), None);
        assert_eq!(told(&format!("gclid={}", "a".repeat(CLICK_ID_BYTES_MAX + 1))), None);
        assert_eq!(told("gclid=4111111111111111"), None, "a card's number is nobody's click");
        assert_eq!(told("q=gclid"), None);
    }
}
