//! Where a visitor's requests come from: a forwarding proxy that tells the visitor's address, as
//! the proxy before a collector does.
//!
//! The browser must not set the header itself: it would ask the collector's leave for every request
//! (a CORS preflight), as no visitor's browser does.

use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// One visitor's proxy, which ends with this value. Plain http only: the shop and its collector
/// stand on this machine.
#[derive(Debug)]
pub(crate) struct Proxy {
    url: String,
    serving: JoinHandle<()>,
}

struct Visitor {
    address: HeaderValue,
    client: Client<HttpConnector, Body>,
}

impl Proxy {
    /// Starts a proxy for the visitor at `address`, on a free port.
    pub(crate) async fn start(address: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port for a proxy")?;
        let url = format!("http://{}", listener.local_addr()?);
        let client = Client::builder(TokioExecutor::new()).build_http();
        let visitor = Arc::new(Visitor { address: address.parse()?, client });
        let router = Router::new().fallback(forward).with_state(visitor);
        let serving = tokio::spawn(async move {
            // It ends when it is aborted, and a listener that fails is seen by the browser.
            axum::serve(listener, router).await.ok();
        });
        Ok(Self { url, serving })
    }

    /// Where the proxy listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn forward(State(visitor): State<Arc<Visitor>>, mut request: Request) -> Response {
    if request.method() == Method::CONNECT || request.uri().host().is_none() {
        return StatusCode::NOT_IMPLEMENTED.into_response();
    }
    let headers = request.headers_mut();
    headers.remove(header::CONNECTION);
    headers.remove(PROXY_CONNECTION);
    headers.insert(FORWARDED_FOR, visitor.address.clone());
    match visitor.client.request(request).await {
        Ok(response) => response.map(Body::new),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}
