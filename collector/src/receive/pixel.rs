//! `GET /v1/pixel.gif`: one event in an address, for where no script runs (a newsletter, a page that
//! takes only a picture).

use std::borrow::Cow;

use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::value::{RawValue, to_raw_value};
use url::{Url, form_urlencoded};
use uuid::Uuid;
use wire::{Choice, Consent, Event, Kind, Text};

use super::respond::{self, Answered};

/// One transparent point, in the fewest bytes that every reader of GIF takes.
const GIF: &[u8; 43] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff\x21\xf9\x04\x01\0\0\0\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0\x3b";

/// Before the name of a property: `p.price=9.50`.
const PROPERTY: &str = "p.";

/// An address's event, and the site it is for.
#[derive(Debug)]
pub(crate) struct Pixel<'a> {
    pub(crate) site: Text<'a>,
    pub(crate) event: Event<'a, Box<RawValue>>,
}

/// Reads the query; of equal parameters the first counts. Without `url` the page is the one that
/// shows the picture, as far as its browser tells.
pub(crate) fn pixel<'a>(query: &'a str, headers: &'a HeaderMap, received_at: i64) -> Pixel<'a> {
    let mut site = None;
    let mut event = Event {
        id: Text::default(),
        kind: Text::default(),
        at: u64::try_from(received_at).unwrap_or_default(),
        visitor: None,
        session: None,
        user: None,
        consent: Consent::default(),
        url: None,
        referrer: None,
        title: None,
        categories: Vec::new(),
        name: None,
        funnel: None,
        step: None,
        properties: None,
    };
    let (mut id, mut kind) = (None, None);
    let mut properties = serde_json::Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let place = match &*name {
            "site" => &mut site,
            "id" => &mut id,
            "type" => &mut kind,
            "visitor" => &mut event.visitor,
            "session" => &mut event.session,
            "user" => &mut event.user,
            "url" => &mut event.url,
            "referrer" => &mut event.referrer,
            "title" => &mut event.title,
            "name" => &mut event.name,
            "funnel" => &mut event.funnel,
            "step" => &mut event.step,
            "category" => {
                event.categories.push(Text(value));
                continue;
            }
            name => {
                consent(&mut event.consent, name, &value);
                if let Some(name) = name.strip_prefix(PROPERTY) {
                    properties.entry(name).or_insert_with(|| value.into_owned().into());
                }
                continue;
            }
        };
        place.get_or_insert(Text(value));
    }
    event.id = id.unwrap_or_else(|| Uuid::now_v7().to_string().into());
    event.kind = kind.unwrap_or_else(|| Kind::PageView.as_str().into());
    if event.kind.as_str() == Kind::Identify.as_str() {
        // What is known of a person does not belong into addresses, which proxies and logs keep.
        event.kind = Text::default();
    }
    if event.url.is_none() {
        event.url = referer(headers).map(Text::from);
    }
    event.properties = to_raw_value(&properties).ok().filter(|_| !properties.is_empty());
    Pixel { site: site.unwrap_or_default(), event }
}

fn consent(consent: &mut Consent, name: &str, value: &str) {
    let place = match name {
        "consent.analytics" => &mut consent.analytics,
        "consent.personalization" => &mut consent.personalization,
        "consent.ads" => &mut consent.ads,
        _ => return,
    };
    *place = match value {
        "granted" => Choice::Granted,
        "denied" => Choice::Denied,
        _ => Choice::Unknown,
    };
}

fn referer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::REFERER)?.to_str().ok().filter(|page| !page.is_empty())
}

/// From which site's page the picture is shown: browsers send no `Origin` for one, but mostly the
/// page or its origin as `Referer`.
pub(crate) fn origin(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    if let Some(origin) = headers.get(header::ORIGIN) {
        return Some(origin.to_str().unwrap_or_default().into());
    }
    let page = referer(headers)?;
    let origin = Url::parse(page).map(|page| page.origin().ascii_serialization());
    Some(origin.unwrap_or_default().into())
}

/// The picture; nobody may keep it, or the next view would not be seen.
pub(crate) fn picture() -> Answered {
    let mut response: Response<_> =
        respond::text(StatusCode::OK, "image/gif", Bytes::from_static(GIF));
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    response
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(query: &str, referer: Option<&str>) -> serde_json::Value {
        let mut headers = HeaderMap::new();
        if let Some(page) = referer {
            headers.insert(header::REFERER, page.parse().unwrap());
        }
        let told = pixel(query, &headers, 1_800_000_000_000);
        let mut event = serde_json::to_value(&told.event).unwrap();
        event["site"] = json!(told.site.as_str());
        event
    }

    #[test]
    fn parameters_are_an_events_fields() {
        let query = "site=shop&type=custom&name=add+to%20cart&id=i&visitor=v&visitor=w&category=Shoes\
            &p.price=9.50&p.size.eu=42&consent.ads=granted&consent.analytics=x&nonsense=1";
        let expected = json!({
            "site": "shop", "type": "custom", "name": "add to cart", "id": "i", "visitor": "v",
            "at": 1_800_000_000_000_u64, "categories": ["Shoes"],
            "properties": {"price": "9.50", "size.eu": "42"},
            "consent": {"analytics": "unknown", "personalization": "unknown", "ads": "granted"},
        });
        assert_eq!(read(query, None), expected);
    }

    #[test]
    fn what_is_not_said_is_a_view_of_the_page_that_shows_it() {
        let told = read("site=shop", Some("https://shop.example/a"));
        assert_eq!(
            (&told["type"], &told["url"]),
            (&json!("page_view"), &json!("https://shop.example/a"))
        );
        assert!(Uuid::try_parse(told["id"].as_str().unwrap()).is_ok());
        assert_eq!(
            read("url=https://b.example/", Some("https://shop.example/"))["url"],
            "https://b.example/"
        );
        assert_eq!(read("type=identify&user=ana", None)["type"], "");
    }

    #[test]
    fn the_origin_is_the_pages() {
        let of = |name: &'static str, value: &str| {
            let headers = HeaderMap::from_iter([(
                header::HeaderName::from_static(name),
                value.parse().unwrap(),
            )]);
            origin(&headers).map(Cow::into_owned)
        };
        assert_eq!(
            of("referer", "https://Shop.example/a?b").as_deref(),
            Some("https://shop.example")
        );
        assert_eq!(
            of("referer", "http://localhost:8080/").as_deref(),
            Some("http://localhost:8080")
        );
        assert_eq!(of("origin", "https://a.example").as_deref(), Some("https://a.example"));
        assert_eq!(of("referer", "nonsense").as_deref(), Some(""));
        assert_eq!(of("accept", "*/*"), None);
    }
}
