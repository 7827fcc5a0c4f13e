//! How answers leave: JSON, refusals, and the headers that go with everything.

use axum::Json;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::error::{Place, Rejection};
use crate::page;

/// Scripts and styles from this program's files only: not from a page's text, whatever gets into it, and not from
/// elsewhere. `data:` is for images that the charts draw themselves.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The body of a refusal: as everywhere in Footfall, with what belongs to a bad parameter.
#[derive(Serialize)]
struct Refused<'a> {
    error: RefusedBody<'a>,
}

#[derive(Serialize)]
struct RefusedBody<'a> {
    tag: &'a str,
    message: String,
    hint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<&'a Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<&'a audience::Receipt>,
}

/// Answers with a refusal, as a page or, under `/api` and `/healthz`, as JSON.
pub(crate) fn refused(path: &str, rejection: &Rejection) -> Response {
    let spec = rejection.spec();
    if let Some(cause) = rejection.cause() {
        tracing::warn!(tag = spec.tag, path, cause, "a question has no answer");
    }
    let mut response = if path.starts_with("/api") || path == "/healthz" {
        json_of(rejection).into_response()
    } else {
        page::refused(rejection)
    };
    *response.status_mut() = spec.status;
    if let Some(wait) = spec.retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs()));
    }
    response
}

fn json_of(rejection: &Rejection) -> Response {
    let spec = rejection.spec();
    let (parameter, position) = match rejection {
        Rejection::ParameterInvalid { name, place, .. } => (Some(*name), place.as_ref()),
        Rejection::ParameterMissing { name, .. } | Rejection::ParameterRepeated { name } => {
            (Some(*name), None)
        }
        _ => (None, None),
    };
    let counts = match rejection {
        Rejection::AudienceTooSmall { counts, .. } => Some(counts.as_ref()),
        _ => None,
    };
    let message = rejection.to_string();
    let error =
        RefusedBody { tag: spec.tag, message, hint: spec.hint, parameter, position, counts };
    Json(Refused { error }).into_response()
}

/// The headers of every answer.
pub(crate) async fn secure(mut response: Response) -> Response {
    let headers = response.headers_mut();
    set(headers, CONTENT_SECURITY_POLICY, POLICY);
    set(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, REFERRER_POLICY, "no-referrer");
    set(headers, HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(headers, HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    if !headers.contains_key(CACHE_CONTROL) {
        set(headers, CACHE_CONTROL, "no-store");
    }
    response
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}
