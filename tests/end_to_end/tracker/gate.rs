//! A door before the collector that counts what goes through, and can be shut.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;

/// What the door answers instead of the collector: a status, and for how many seconds to stay away.
pub(super) type Shut = (StatusCode, u32);

/// The door, which stands as long as the test's runtime.
#[derive(Clone)]
pub(super) struct Gate {
    /// Where it stands; the tag names it as the collector.
    pub(super) url: String,
    state: Arc<Inner>,
}

struct Inner {
    collector: String,
    shut: Mutex<Option<Shut>>,
    /// The ids of each batch that came, and whether it was let through.
    batches: Mutex<Vec<(Vec<String>, bool)>>,
}

impl Gate {
    pub(super) async fn before(collector: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inner = Inner {
            collector: collector.to_owned(),
            shut: Mutex::new(None),
            batches: Mutex::default(),
        };
        let state = Arc::new(inner);
        let router = Router::new().route("/v1/events", post(pass)).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, state }
    }

    pub(super) fn shut(&self, shut: Option<Shut>) {
        *self.state.shut.lock().unwrap() = shut;
    }

    /// The ids of the events of each batch since the last question, and whether it was let through.
    pub(super) fn batches(&self) -> Vec<(Vec<String>, bool)> {
        std::mem::take(&mut *self.state.batches.lock().unwrap())
    }
}

async fn pass(State(state): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    let batch: Value = serde_json::from_slice(&body).unwrap();
    let ids = batch["events"].as_array().unwrap().iter();
    let ids = ids.map(|event| event["id"].as_str().unwrap().to_owned()).collect();
    let shut = *state.shut.lock().unwrap();
    state.batches.lock().unwrap().push((ids, shut.is_none()));
    let open =
        [("access-control-allow-origin", "*"), ("access-control-expose-headers", "retry-after")];
    if let Some((status, seconds)) = shut {
        return (status, open, [("retry-after", seconds.to_string())]).into_response();
    }
    let origin = headers["origin"].to_str().unwrap().to_owned();
    let url = format!("{}/v1/events", state.collector);
    let answered = tokio::task::spawn_blocking(move || {
        ureq::post(&url).header("origin", origin).send(&body[..]).map(|answer| answer.status())
    });
    let status = answered.await.unwrap().unwrap();
    (StatusCode::from_u16(status.as_u16()).unwrap(), open).into_response()
}
