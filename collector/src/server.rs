//! The door: connections, addresses, and who answers what.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::header::{HeaderMap, ORIGIN, USER_AGENT};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use wire::Context;

use crate::config::Settings;
use crate::dead_letters::DeadLetters;
use crate::error::Rejection;
use crate::health::Health;
use crate::pipeline::{Part, Pipeline, Sender};
use crate::receive::respond::{self, Answered};
use crate::receive::segment_api::{self, Call};
use crate::receive::{Form, Sent, body, client_ip, pixel};

/// Bytes of a request's head. A browser's are under 2 KiB; the longest is a long referrer.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// How long a stop waits for requests that have begun.
const FINISH_TIMEOUT: Duration = Duration::from_secs(10);
/// How long accepting pauses when the system has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Everything a request may need.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) pipeline: Pipeline,
    pub(crate) health: Arc<Health>,
    pub(crate) dead: Arc<DeadLetters>,
    pub(crate) settings: Settings,
}

/// Serves until `shutdown`, then finishes the requests that have begun.
pub(crate) async fn serve(door: Door, listener: TcpListener, shutdown: impl Future<Output = ()>) {
    let permits = Arc::new(Semaphore::new(door.settings.connections_max));
    let door = Arc::new(door);
    let graceful = GracefulShutdown::new();
    // Owned here, so that connections end with this future.
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            (stream, peer, permit) = accept(&listener, &permits) => {
                let connection = connection(Arc::clone(&door), stream, peer);
                let connection = graceful.watch(connection);
                let open = Arc::clone(&door);
                connections.spawn(async move {
                    open.pipeline.metrics.connections.inc();
                    if let Err(error) = connection.await {
                        tracing::debug!(%error, "a connection broke");
                    }
                    open.pipeline.metrics.connections.dec();
                    drop(permit);
                });
            }
            Some(_) = connections.join_next() => {}
            () = &mut shutdown => break,
        }
    }
    drop(listener);
    if tokio::time::timeout(FINISH_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "stopped before all requests were finished"
        );
    }
}

/// The next connection, when there is room for one. What cannot be accepted is tried again.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    loop {
        let Ok(permit) = Arc::clone(permits).acquire_owned().await else {
            // Nobody closes the semaphore.
            return std::future::pending().await;
        };
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, permit),
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn connection(
    door: Arc<Door>,
    stream: TcpStream,
    peer: SocketAddr,
) -> impl GracefulConnection<Error = hyper::Error, Output = Result<(), hyper::Error>> {
    // Answers are small and complete; waiting to fill a packet would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    let header_timeout = door.settings.header_timeout;
    let service = service_fn(move |request| {
        let door = Arc::clone(&door);
        async move { Ok::<_, Infallible>(door.answer(request, peer).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
}

impl Door {
    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Answered {
        let answer = self.route(request, peer).await;
        answer.unwrap_or_else(|rejection| {
            let spec = rejection.spec();
            self.pipeline.metrics.rejected(spec.tag);
            if spec.level == tracing::Level::DEBUG {
                tracing::debug!(tag = spec.tag, %rejection, "refused a request");
            }
            respond::rejection(&rejection)
        })
    }

    async fn route(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Answered, Rejection> {
        let path = request.uri().path();
        let method = request.method();
        let get = |answer: Answered| match *method {
            Method::GET | Method::HEAD => Ok(answer),
            _ => Err(not_allowed(method, "GET, HEAD")),
        };
        match path {
            "/v1/events" => match *method {
                Method::POST => self.events(request, peer).await,
                Method::OPTIONS => Ok(respond::preflight()),
                _ => Err(not_allowed(method, "POST, OPTIONS")),
            },
            "/v1/pixel.gif" => match *method {
                Method::GET => self.pixel(&request, peer).await,
                _ => Err(not_allowed(method, "GET")),
            },
            "/healthz" => get(respond::text(StatusCode::OK, "text/plain; charset=utf-8", "ok\n")),
            "/readyz" => get(self.ready()),
            "/metrics" => get(self.metrics()),
            _ => match (path.strip_prefix("/s/"), Call::of(path)) {
                (Some(name), _) => get(self.script(name, request.headers())?),
                (None, Some(call)) => match *method {
                    Method::POST => self.segment_api(call, request, peer).await,
                    Method::OPTIONS => Ok(respond::preflight()),
                    _ => Err(not_allowed(method, "POST, OPTIONS")),
                },
                (None, None) => Err(Rejection::NotFound),
            },
        }
    }

    async fn events(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Answered, Rejection> {
        let began = Instant::now();
        let (head, body) = request.into_parts();
        let body = body::read(&head.headers, body, self.settings.body_timeout).await?;
        let answer = self.pipeline.accept(self.sender(&head.headers, peer), &body).await?;
        self.pipeline.metrics.request_seconds.0.observe(began.elapsed().as_secs_f64());
        let response = respond::json(StatusCode::ACCEPTED, &answer);
        Ok(respond::with_dropped(response, &answer))
    }

    async fn segment_api(
        &self,
        call: Call,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Answered, Rejection> {
        let began = Instant::now();
        let (head, body) = request.into_parts();
        let body = body::read(&head.headers, body, self.settings.body_timeout).await?;
        let sender = self.sender(&head.headers, peer);
        let now = self.pipeline.clock.now_millis();
        let told = segment_api::request(call, &head.headers, &body, sender, now)?;
        let answer = self.pipeline.take(sender, &told.site, told.sent_at, &told.parts).await?;
        self.pipeline.metrics.request_seconds.0.observe(began.elapsed().as_secs_f64());
        let response = respond::json(StatusCode::OK, &told.success(answer.clone()));
        Ok(respond::with_dropped(response, &answer))
    }

    async fn pixel<B>(
        &self,
        request: &Request<B>,
        peer: SocketAddr,
    ) -> Result<Answered, Rejection> {
        let began = Instant::now();
        let headers = request.headers();
        let origin = pixel::origin(headers);
        let sender = Sender { origin: origin.as_deref(), ..self.sender(headers, peer) };
        let query = request.uri().query().unwrap_or_default();
        let told = pixel::pixel(query, headers, self.pipeline.clock.now_millis());
        let part =
            Part { events: vec![Sent::Event(told.event)], ..Part::of(sender, Context::default()) };
        let answer = self.pipeline.take(sender, &told.site, 0, &[part]).await?;
        self.pipeline.metrics.request_seconds.0.observe(began.elapsed().as_secs_f64());
        Ok(respond::with_dropped(pixel::picture(), &answer))
    }

    fn sender<'a>(&self, headers: &'a HeaderMap, peer: SocketAddr) -> Sender<'a> {
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        Sender {
            ip: client_ip(peer.ip(), headers, &self.settings.trusted_proxies),
            user_agent: text(USER_AGENT).unwrap_or_default(),
            origin: text(ORIGIN),
        }
    }

    fn script(&self, name: &str, headers: &HeaderMap) -> Result<Answered, Rejection> {
        if let Some(tracker) = self.settings.assets.tracker(name) {
            return Ok(tracker);
        }
        let name = name.strip_suffix(".js").ok_or(Rejection::NotFound)?;
        // A site's name has no dot in it.
        let (site, form) = match name.strip_suffix(".stream") {
            Some(site) => (site, Form::Streaming),
            None => (name, Form::Whole),
        };
        let sites = self.pipeline.sites.table();
        let site = sites.find(site).map_err(|_| Rejection::NotFound)?;
        Ok(self.settings.assets.script(&site.name, form, headers))
    }

    fn ready(&self) -> Answered {
        let sites = self.pipeline.sites.table().len();
        let readiness = self.health.readiness(&self.pipeline.spool, self.dead.fill(), sites);
        let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        respond::json(status, &readiness)
    }

    fn metrics(&self) -> Answered {
        let dead = self.dead.fill();
        self.pipeline.metrics.dead_letters_are(dead.letters, dead.bytes);
        let (bytes, _) = self.pipeline.spool.fill();
        let text = self.pipeline.metrics.text(bytes, self.pipeline.spool.blocks_waiting());
        respond::text(
            StatusCode::OK,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            text,
        )
    }
}

fn not_allowed(method: &Method, allowed: &'static str) -> Rejection {
    let method = method.as_str().chars().take(20).collect();
    Rejection::MethodNotAllowed { method, allowed }
}
