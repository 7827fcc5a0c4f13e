//! `GET /r/...`: a redirect link's visit as an event, and the way on.

use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Response, StatusCode};
use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;
use wire::{Consent, Event, Kind, Text};

use super::respond::{self, Answered};
use crate::error::Rejection;
use crate::link::{Link, LinkError};

/// The name of the event.
const NAME: &str = "link_clicked";

/// For a person with a browser; there is nothing in it of what was asked for.
const NO_LINK: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\"><title>This link does not work</title>\
<h1>This link does not work</h1>\
<p>It is not whole, or it has been changed since it was made, so it leads nowhere.</p>\
<p>If you copied it, copy all of it. Otherwise ask whoever sent it to you.</p></html>\n";

/// Whether somebody goes where the link leads. A program that only looks ahead asks for the head, or
/// a browser says that it fetches before anybody has chosen.
pub(crate) fn is_visit(method: &Method, headers: &HeaderMap) -> bool {
    let ahead = ["sec-purpose", "purpose", "x-purpose", "x-moz"].iter().any(|name| {
        let value = headers.get(*name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let value = value.to_ascii_lowercase();
        value.contains("prefetch") || value.contains("preview") || value.contains("prerender")
    });
    *method == Method::GET && !ahead
}

/// The visit as an event of the site. Its page is the one it leads to.
pub(crate) fn event<'a>(
    link: &'a Link,
    headers: &'a HeaderMap,
    visitor: Option<Uuid>,
    received_at: i64,
) -> Event<'a, Box<RawValue>> {
    let referrer = headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    let properties = to_raw_value(&serde_json::json!({ "link": link.name() }));
    Event {
        id: Uuid::now_v7().to_string().into(),
        kind: Kind::Custom.as_str().into(),
        at: u64::try_from(received_at).unwrap_or_default(),
        visitor: visitor.map(|visitor| visitor.to_string().into()),
        session: None,
        user: None,
        consent: Consent::default(),
        url: Some(link.target().as_str().into()),
        referrer: referrer.map(Text::from),
        title: None,
        categories: Vec::new(),
        name: Some(NAME.into()),
        funnel: None,
        step: None,
        properties: properties.ok().filter(|_| !link.name().is_empty()),
    }
}

/// Leads on.
pub(crate) fn onward(link: &Link) -> Result<Answered, Rejection> {
    // A target is ASCII without control characters, so this does not fail.
    let target = HeaderValue::from_str(link.target().as_str())
        .map_err(|_| Rejection::LinkNotSigned { problem: LinkError::NotSigned })?;
    let mut response: Response<_> =
        respond::text(StatusCode::FOUND, "text/plain; charset=utf-8", Bytes::new());
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, target);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // The page learns from which site somebody comes, and not by which link of ours.
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("strict-origin-when-cross-origin"),
    );
    headers.insert(
        header::HeaderName::from_static("x-robots-tag"),
        HeaderValue::from_static("noindex, nofollow"),
    );
    Ok(response)
}

/// Leads nowhere, and says so to a person.
pub(crate) fn no_link(rejection: &Rejection) -> Answered {
    let mut response = respond::text(rejection.spec().status, "text/html; charset=utf-8", NO_LINK);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    response
}
