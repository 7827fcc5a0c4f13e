//! A running dashboard and a way to ask it.

use dashboard::Settings;
use jiff::Timestamp;
use serde_json::Value;
use store::Server;
use store::testing::TestDatabase;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The clock of every test: all stories are told before it.
pub(crate) fn now() -> Timestamp {
    "2026-01-31T12:00:00Z".parse().unwrap()
}

/// A dashboard that answers until this value goes.
pub(crate) struct Started {
    pub(crate) address: String,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) body: String,
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
    }
}

/// On a free port, at the tests' time.
pub(crate) fn settings() -> Settings {
    Settings::loopback(0).clock(now)
}

impl Started {
    pub(crate) async fn over(database: &TestDatabase) -> Self {
        Self::with(settings(), database.server().clone()).await
    }

    pub(crate) async fn with(settings: Settings, server: Server) -> Self {
        let listener = TcpListener::bind(settings.listen()).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            let shutdown = async { stopped.await.unwrap() };
            dashboard::run(settings, listener, server, shutdown).await.unwrap();
        });
        Self { address, stop: Some(stop), running }
    }

    pub(crate) async fn get(&self, path: &str) -> Answered {
        self.get_as(path, None).await
    }

    /// Asks with another `Host` than the address says.
    pub(crate) async fn get_as(&self, path: &str, host: Option<&str>) -> Answered {
        let url = format!("{}{path}", self.address);
        let host = host.map(str::to_owned);
        let asked = tokio::task::spawn_blocking(move || {
            let mut request = ureq::get(url);
            if let Some(host) = host {
                request = request.header("host", host);
            }
            let mut answer = request.config().http_status_as_error(false).build().call().unwrap();
            let body = answer.body_mut().read_to_string().unwrap();
            Answered { status: answer.status().as_u16(), headers: answer.headers().clone(), body }
        });
        asked.await.unwrap()
    }

    /// Stops it and waits until it has: a test that ends well calls this.
    pub(crate) async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        (&mut self.running).await.unwrap();
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.running.abort();
    }
}
