//! The door: connections, addresses, and who answers what.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{HeaderMap, ORIGIN};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use store::site::Visitors;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;
use wire::{Answer, Context};

use crate::config::Settings;
use crate::dead_letters::DeadLetters;
use crate::enrich::{Told, header_text};
use crate::error::Rejection;
use crate::gate::{Connections, Entered, Guest, UnderWay};
use crate::head_timer::HeadTimer;
use crate::health::Health;
use crate::link::Link;
use crate::metrics::{HeadRefused, Metrics};
use crate::pipeline::{Part, Pipeline, Sender};
use crate::receive::body::{self, Coming};
use crate::receive::respond::{self, Answered};
use crate::receive::segment_api::{self, Call};
use crate::receive::{Sent, Way, client_ip, is_trusted, pixel, redirect};
use crate::validate::Chosen;

/// Bytes of a request's head. A browser's are under 2 KiB; the longest is a long referrer.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// How long a stop waits for requests that have begun.
const FINISH_TIMEOUT: Duration = Duration::from_secs(10);
/// How often connections that are quiet for too long are looked for.
const LOOK_AROUND_MIN: Duration = Duration::from_millis(100);
const LOOK_AROUND_MAX: Duration = Duration::from_secs(5);
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
    let settings = &door.settings;
    let connections = Connections::new(
        settings.connections_max,
        &settings.gate,
        &settings.trusted_proxies,
        settings.body_timeout,
    );
    let house = Arc::new(connections);
    let quiet_max = settings.header_timeout + settings.body_timeout;
    let mut look_around = tokio::time::interval(quiet_max.clamp(LOOK_AROUND_MIN, LOOK_AROUND_MAX));
    let door = Arc::new(door);
    let (close, closing) = watch::channel(false);
    // Owned here, so that connections end with this future.
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            (stream, peer, guest) = accept(&listener, &house, &door.pipeline.metrics) => {
                let guest = Arc::new(guest);
                let connection =
                    Arc::clone(&door).connected(stream, peer, Arc::clone(&guest), closing.clone());
                connections.spawn(attend(Arc::clone(&door), connection, guest));
            }
            _ = look_around.tick() => house.end_quiet(quiet_max),
            Some(_) = connections.join_next() => {}
            () = &mut shutdown => break,
        }
    }
    drop(listener);
    close.send_replace(true);
    house.close();
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(FINISH_TIMEOUT, ended).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "stopped before all requests were finished"
        );
    }
}

/// Serves a connection to its end, or until it must give way.
async fn attend(door: Arc<Door>, connection: impl Future<Output = ()>, guest: Arc<Guest>) {
    door.pipeline.metrics.connections.inc();
    let mut connection = pin!(connection);
    poll_fn(|context| {
        guest.wakes(context);
        // First, so that a request that has come is seen before the connection is ended for quiet.
        match connection.as_mut().poll(context) {
            Poll::Pending if !guest.is_to_go() => Poll::Pending,
            _ => Poll::Ready(()),
        }
    })
    .await;
    door.pipeline.metrics.connections.dec();
}

/// The next connection, when there is room for one. What cannot be accepted is tried again.
async fn accept(
    listener: &TcpListener,
    house: &Arc<Connections>,
    metrics: &Metrics,
) -> (TcpStream, SocketAddr, Guest) {
    let gave_way = |count: usize| {
        metrics.connections_gave_way.inc_by(count as u64);
    };
    loop {
        house.room(gave_way).await;
        match listener.accept().await {
            Ok((stream, peer)) => match house.enter(peer.ip()) {
                Entered::Guest(guest, count) => {
                    gave_way(count);
                    return (stream, peer, guest);
                }
                Entered::Refused => {
                    metrics.connections_refused.inc();
                }
            },
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether the first bytes of a request have come, in time and before a stop. Until then a connection has
/// none of hyper's buffers, 16 KiB: many connect and say nothing.
async fn speaks(
    stream: &TcpStream,
    timeout: Duration,
    closing: &mut watch::Receiver<bool>,
) -> bool {
    // Looked at and left there; `readable` may be ready where nothing has come.
    let mut first = [0];
    tokio::select! {
        come = tokio::time::timeout(timeout, stream.peek(&mut first)) => matches!(come, Ok(Ok(1))),
        _ = closing.wait_for(|closing| *closing) => false,
    }
}

async fn connection(
    door: Arc<Door>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    guest: Arc<Guest>,
) -> Result<(), hyper::Error> {
    let header_timeout = door.settings.header_timeout;
    let requests = Arc::clone(&guest);
    let service = service_fn(move |request| {
        let door = Arc::clone(&door);
        let under_way = requests.request();
        async move {
            let answer = door.answer(request, peer, &under_way).await;
            drop(under_way);
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = http1::Builder::new()
        .timer(HeadTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(HEAD_BYTES_MAX)
        // What has come whole is taken, also of a page that was closed with it. And hyper reads ahead for the
        // end of the connection otherwise, into a buffer that it must make anew for each request.
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let mut closing = false;
    poll_fn(|context| {
        if !closing && guest.is_closing() {
            closing = true;
            connection.as_mut().graceful_shutdown();
        }
        connection.as_mut().poll(context)
    })
    .await
}

/// About as many bytes as the head had on the wire.
fn head_bytes(head: &Parts) -> usize {
    let line = head.uri.path().len() + head.uri.query().map_or(0, str::len);
    let headers = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    line + headers.sum::<usize>()
}

impl Door {
    /// Serves a connection to its end: as it is, or behind a TLS handshake. A stop does not wait for
    /// handshakes; there is no request yet.
    async fn connected(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        guest: Arc<Guest>,
        mut closing: watch::Receiver<bool>,
    ) {
        // Answers are small and complete; waiting to fill a packet would only delay them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        let door = Arc::clone(&self);
        let ended = match self.settings.tls.clone() {
            None => {
                if !speaks(&stream, self.settings.header_timeout, &mut closing).await {
                    return;
                }
                Box::pin(connection(self, stream, peer, guest)).await
            }
            Some(tls) => {
                let handshake = Box::pin(tls.accept(stream, self.settings.header_timeout));
                let handshake = tokio::select! {
                    handshake = handshake => handshake,
                    _ = closing.wait_for(|closing| *closing) => return,
                };
                match handshake {
                    Ok(stream) => Box::pin(connection(self, stream, peer, guest)).await,
                    Err(failure) => return self.pipeline.metrics.handshake_failed(failure),
                }
            }
        };
        if let Err(error) = ended {
            if let Some(head) = HeadRefused::of(&error) {
                door.pipeline.metrics.head_refused(head);
            }
            tracing::debug!(%error, "a connection broke");
        }
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
        under_way: &UnderWay,
    ) -> Answered {
        let began = Instant::now();
        // Taken apart here, so that the head need not be moved from step to step.
        let (mut head, body) = request.into_parts();
        let way = match Way::of(head.uri.path()) {
            Way::Other => self.chosen(head.uri.path()).map_or(Way::Other, Into::into),
            way => way,
        };
        // hyper asks only while a head is not whole, so one whose last piece is large comes through.
        let answer = if head_bytes(&head) > HEAD_BYTES_MAX {
            self.pipeline.metrics.head_refused(HeadRefused::TooLarge);
            Ok(respond::head_too_large())
        } else {
            self.route(&mut head, Coming::new(body, under_way), peer).await
        };
        let answer = answer.unwrap_or_else(|rejection| {
            let spec = rejection.spec();
            self.pipeline.metrics.rejected(spec.tag);
            if spec.level == tracing::Level::DEBUG {
                tracing::debug!(tag = spec.tag, %rejection, "refused a request");
            }
            respond::rejection(&rejection)
        });
        self.pipeline.metrics.answered(way, answer.status().as_u16(), began.elapsed());
        answer
    }

    /// What waits for something while it is under way lies in the connection's own memory, so all but the
    /// way of nearly every request is boxed.
    async fn route(
        &self,
        head: &mut Parts,
        body: Coming<'_>,
        peer: SocketAddr,
    ) -> Result<Answered, Rejection> {
        let path = head.uri.path();
        let method = &head.method;
        let get = |answer: Answered| match *method {
            Method::GET | Method::HEAD => Ok(answer),
            _ => Err(not_allowed(method, "GET, HEAD")),
        };
        match path {
            "/v1/events" => self.posted(head, body, peer).await,
            "/v1/pixel.gif" => match *method {
                Method::GET => Box::pin(self.pixel(head, peer)).await,
                _ => Err(not_allowed(method, "GET")),
            },
            "/healthz" => get(respond::text(StatusCode::OK, "text/plain; charset=utf-8", "ok\n")),
            "/readyz" => get(self.ready()),
            "/metrics" => get(self.metrics(&head.headers, peer)?),
            _ if path.starts_with("/r/") => match *method {
                Method::GET | Method::HEAD => Box::pin(self.link(head, peer)).await,
                _ => Err(not_allowed(method, "GET, HEAD")),
            },
            _ => match (path.strip_prefix("/s/"), Call::of(path)) {
                (Some(name), _) => get(self.script(name, head, peer)?),
                (None, Some(call)) => match *method {
                    Method::POST => Box::pin(self.segment_api(call, head, body, peer)).await,
                    Method::OPTIONS => Ok(respond::preflight()),
                    _ => Err(not_allowed(method, "POST, OPTIONS")),
                },
                (None, None) => match self.chosen(path).ok_or(Rejection::NotFound)? {
                    Chosen::Events => self.posted(head, body, peer).await,
                    Chosen::Script(site) => get(self.own_script(&site, head, peer)?),
                },
            },
        }
    }

    async fn posted(
        &self,
        head: &mut Parts,
        body: Coming<'_>,
        peer: SocketAddr,
    ) -> Result<Answered, Rejection> {
        match head.method {
            Method::POST => self.events(head, body, peer).await,
            Method::OPTIONS => Ok(respond::preflight()),
            ref method => Err(not_allowed(method, "POST, OPTIONS")),
        }
    }

    async fn events(
        &self,
        head: &mut Parts,
        body: Coming<'_>,
        peer: SocketAddr,
    ) -> Result<Answered, Rejection> {
        let told = self.told(&head.headers, peer);
        let sender = self.sender(&head.headers, peer, &told);
        let body = self.body(Way::Events, sender, &head.headers, body).await?;
        let answer = self.pipeline.accept(sender, body).await?;
        let room = std::mem::take(&mut head.headers);
        let response = respond::json_in_room_of(room, StatusCode::ACCEPTED, &answer);
        Ok(respond::with_dropped(response, &answer))
    }

    async fn segment_api(
        &self,
        call: Call,
        head: &Parts,
        body: Coming<'_>,
        peer: SocketAddr,
    ) -> Result<Answered, Rejection> {
        let told = self.told(&head.headers, peer);
        let sender = self.sender(&head.headers, peer, &told);
        let body = self.body(Way::Segment, sender, &head.headers, body).await?;
        let now = self.pipeline.clock.now_millis();
        let written = {
            let sent = segment_api::request(call, &head.headers, &body, sender, now)?;
            let words = |answer: &mut Answer| sent.put_into_its_words(answer);
            self.pipeline.write(sender, &sent.site, sent.sent_at, &sent.parts, words)?
        };
        drop(body);
        let answer = self.pipeline.answer(written).await?;
        let response = respond::json(StatusCode::OK, &segment_api::Success::of(&answer));
        Ok(respond::with_dropped(response, &answer))
    }

    async fn pixel(&self, head: &Parts, peer: SocketAddr) -> Result<Answered, Rejection> {
        let headers = &head.headers;
        let origin = pixel::origin(headers);
        let told = self.told(headers, peer);
        let sender = Sender { origin: origin.as_deref(), ..self.sender(headers, peer, &told) };
        self.pipeline.gates.knock(sender)?;
        let query = head.uri.query().unwrap_or_default();
        let sent = pixel::pixel(query, headers, self.pipeline.clock.now_millis());
        let part =
            Part { events: vec![Sent::Event(sent.event)], ..Part::of(sender, Context::default()) };
        let written = self.pipeline.write(sender, &sent.site, 0, &[part], |_| ())?;
        let answer = self.pipeline.answer(written).await?;
        Ok(respond::with_dropped(pixel::picture(), &answer))
    }

    /// The body of who may send one now.
    async fn body(
        &self,
        way: Way,
        sender: Sender<'_>,
        headers: &HeaderMap,
        body: Coming<'_>,
    ) -> Result<Bytes, Rejection> {
        let timeout = self.settings.body_timeout;
        if let Err(rejection) = self.pipeline.gates.knock(sender) {
            body::discard(body, timeout).await;
            return Err(rejection);
        }
        let bodies = &self.pipeline.gates.bodies;
        let body = body::read(headers, body, bodies, timeout).await?;
        self.pipeline.metrics.received(way, body.len());
        Ok(body)
    }

    /// Whoever comes by a link goes on by it, whatever becomes of the event.
    async fn link(&self, head: &Parts, peer: SocketAddr) -> Result<Answered, Rejection> {
        let (headers, uri) = (&head.headers, &head.uri);
        let path = uri.path().strip_prefix("/r/").unwrap_or_default();
        let link = Link::read(path, uri.query().unwrap_or_default(), &self.settings.link_key);
        let link = match link {
            Ok(link) => link,
            Err(problem) => {
                let rejection = Rejection::LinkNotSigned { problem };
                self.pipeline.metrics.rejected(rejection.spec().tag);
                return Ok(redirect::no_link(&rejection));
            }
        };
        let onward = redirect::onward(&link)?;
        if !redirect::is_visit(&head.method, headers) {
            return Ok(onward);
        }
        let told = self.told(headers, peer);
        let sender = Sender { origin: None, ..self.sender(headers, peer, &told) };
        // A visitor who keeps an id keeps it elsewhere: who clicks is somebody, and nobody known.
        let sites = self.pipeline.sites.table();
        let keeps =
            sites.find(link.site().as_str()).is_ok_and(|site| site.visitors == Visitors::Kept);
        let visitor = keeps.then(Uuid::new_v4);
        let now = self.pipeline.clock.now_millis();
        let event = redirect::event(&link, headers, visitor, now);
        let events = vec![Sent::Event(event)];
        let part = Part { events, signed: true, ..Part::of(sender, Context::default()) };
        let taken = async {
            self.pipeline.gates.knock(sender)?;
            let written = self.pipeline.write(sender, link.site().as_str(), 0, &[part], |_| ())?;
            self.pipeline.answer(written).await
        };
        match taken.await {
            Ok(answer) => Ok(respond::with_dropped(onward, &answer)),
            Err(rejection) => {
                self.pipeline.metrics.rejected(rejection.spec().tag);
                Ok(onward)
            }
        }
    }

    /// What the head tells of the visitor; a proxy's word for the place only where the proxy is trusted.
    pub(crate) fn told<'a>(&self, headers: &'a HeaderMap, peer: SocketAddr) -> Told<'a> {
        let mut told = Told::of(headers);
        if let Some(names) = &self.settings.place_headers
            && is_trusted(peer.ip(), &self.settings.trusted_proxies)
        {
            told.place = names.read(headers);
        }
        told
    }

    /// Whose request it is, by a trusted proxy's word where it came through one.
    pub(crate) fn ip(&self, headers: &HeaderMap, peer: SocketAddr) -> IpAddr {
        let Settings { trusted_proxies, client_address_header, .. } = &self.settings;
        client_ip(peer.ip(), headers, trusted_proxies, client_address_header.as_ref())
    }

    pub(crate) fn sender<'a>(
        &self,
        headers: &'a HeaderMap,
        peer: SocketAddr,
        told: &'a Told<'a>,
    ) -> Sender<'a> {
        Sender {
            ip: self.ip(headers, peer),
            user_agent: &told.user_agent,
            origin: headers.get(ORIGIN).map(header_text),
            told,
        }
    }
}

fn not_allowed(method: &Method, allowed: &'static str) -> Rejection {
    let method = method.as_str().chars().take(20).collect();
    Rejection::MethodNotAllowed { method, allowed }
}
