//! Answers.
//!
//! Every answer may be read from any origin (`Access-Control-Allow-Origin: *`): requests carry no
//! cookies, answers hold counts and reasons only, and a site's own developer must see why a batch
//! was refused.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;
use wire::{Answer, Rejected, RejectedBody};

use super::encoding::Encoding;
use crate::error::Rejection;

/// Whatever is answered: it fits in memory.
pub(crate) type Answered = Response<Full<Bytes>>;

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// Headers of most answers, with those that hyper adds; more make the map grow.
const HEADERS_USUAL: usize = 6;

const DROPPED: HeaderName = HeaderName::from_static("x-footfall-dropped");
/// What pages may send with their events: ours needs none of these, Segment's and RudderStack's do.
/// RudderStack's has `AnonymousId` and `SentAt` with every request, and `Rsa-Retry-Attempt` and others with
/// one that is tried again (rudder-sdk-js 3, `xhrQueue`). Nothing is believed for a header, so any may come;
/// `authorization` is not meant by `*` (<https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name>),
/// and the others are named for browsers that do not know it.
const SENT_HEADERS: &str =
    "anonymousid, authorization, content-encoding, content-type, sentat, x-retry-count, *";

/// A JSON body; nobody may keep it.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Answered {
    json_in_room_of(HeaderMap::with_capacity(HEADERS_USUAL), status, body)
}

/// The same, its headers where the request's were. That spares both maps their memory: hyper keeps the
/// answer's for the connection's next request.
pub(crate) fn json_in_room_of(
    request: HeaderMap,
    status: StatusCode,
    body: &impl Serialize,
) -> Answered {
    // A struct of texts and numbers has always a JSON form.
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut response = made(request, status, "application/json", body.into());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Any body, by its content type.
pub(crate) fn text(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Answered {
    made(HeaderMap::with_capacity(HEADERS_USUAL), status, content_type, body.into())
}

fn made(
    mut headers: HeaderMap,
    status: StatusCode,
    content_type: &'static str,
    body: Bytes,
) -> Answered {
    headers.clear();
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Names in a head why events were left out, each reason once: who looks at a request in a browser's
/// tools sees it, also where the answer is a picture. Nothing where all were taken.
pub(crate) fn with_dropped(mut response: Answered, answer: &Answer) -> Answered {
    if answer.dropped.is_empty() {
        return response;
    }
    let mut reasons: Vec<_> = answer.dropped.iter().map(|dropped| &*dropped.reason).collect();
    reasons.sort_unstable();
    reasons.dedup();
    if let Some(reasons) =
        HeaderValue::try_from(reasons.join(", ")).ok().filter(|_| !reasons.is_empty())
    {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from(DROPPED));
        headers.insert(DROPPED, reasons);
    }
    response
}

/// A rejection with all that follows from it.
pub(crate) fn rejection(rejection: &Rejection) -> Answered {
    let spec = rejection.spec();
    let error = RejectedBody {
        tag: spec.tag.to_owned(),
        message: rejection.to_string(),
        hint: spec.hint.to_owned(),
        field: rejection.field().map(str::to_owned),
    };
    let mut response = json(spec.status, &Rejected { error });
    let headers = response.headers_mut();
    if let Some(after) = spec.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs()));
        // A script of the page may not see it otherwise (<https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name>).
        headers
            .insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from(header::RETRY_AFTER));
    }
    match rejection {
        Rejection::MethodNotAllowed { allowed, .. } => {
            headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
        }
        Rejection::EncodingNotSupported { .. } => {
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(Encoding::ACCEPTED));
        }
        // The rest of the body is still on its way; the next request cannot follow it.
        Rejection::BodyTooLarge { .. }
        | Rejection::BodyTimeout { .. }
        | Rejection::BodyIncomplete => {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    response
}

/// The head is longer than any that is asked for. What follows it is not looked at.
pub(crate) fn head_too_large() -> Answered {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// A file for pages of other origins.
pub(crate) fn file(content_type: &'static str, body: Bytes, cache: &'static str) -> Answered {
    let mut response = text(StatusCode::OK, content_type, body);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    response
}

/// The browser may ask: a preflight is answered alike for every origin and site, since the origin is
/// checked with the batch itself.
pub(crate) fn preflight() -> Answered {
    let mut response = text(StatusCode::NO_CONTENT, "text/plain", Bytes::new());
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(SENT_HEADERS));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}
