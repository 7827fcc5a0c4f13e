//! The whole path of a request: connection, limits, host, route, headers.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use jiff::Timestamp;
use store::Server;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Settings;
use crate::error::{DashboardError, Rejection};
use crate::{api, assets, auth, page, respond};

/// A browser opens six at once; this is room for twenty people and a few scripts.
const CONNECTIONS_MAX: usize = 128;

/// Questions that ClickHouse works on for the dashboard at once. More wait for [`PATIENCE`].
const QUESTIONS_MAX: usize = 16;

/// How long a request may wait for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);

/// How long requests under way may take once the program is to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to leave the listener alone when the machine has no connection to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What every answer is made with.
pub(crate) struct Dashboard {
    pub(crate) settings: Settings,
    pub(crate) server: Server,
    pub(crate) address: SocketAddr,
    questions: Semaphore,
}

impl Dashboard {
    pub(crate) fn now(&self) -> Timestamp {
        (self.settings.now)()
    }
}

/// Serves the pages and the API until `shutdown` comes, then lets requests under way end (10 s at most).
///
/// # Errors
/// Where the listener has no address.
pub async fn run(
    settings: Settings,
    listener: TcpListener,
    server: Server,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), DashboardError> {
    let address = listener.local_addr().map_err(DashboardError::Listener)?;
    let questions = Semaphore::new(QUESTIONS_MAX);
    let router = router(Arc::new(Dashboard { settings, server, address, questions }));
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    tokio::pin!(shutdown);
    tracing::info!(%address, "the dashboard answers");
    loop {
        let (stream, permit) = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &connections) => accepted,
        };
        serve(stream, permit, router.clone(), &graceful);
    }
    drop(listener);
    if tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("the dashboard stopped before every request was answered");
    }
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    let permit = Arc::clone(connections).acquire_owned().await;
    let permit = permit.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            Err(error) => {
                tracing::warn!(%error, "the dashboard could not take a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn serve(
    stream: TcpStream,
    permit: OwnedSemaphorePermit,
    router: Router,
    graceful: &GracefulShutdown,
) {
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to the dashboard broke");
        }
        drop(permit);
    });
}

fn router(dashboard: Arc<Dashboard>) -> Router {
    let asked = Router::new().merge(api::routes()).merge(page::routes());
    let in_turn = middleware::from_fn_with_state(Arc::clone(&dashboard), in_turn);
    asked
        .route_layer(in_turn)
        .merge(assets::routes())
        .fallback(|request: Request| async move {
            respond::refused(request.uri().path(), &Rejection::NotFound)
        })
        .method_not_allowed_fallback(|request: Request| async move {
            respond::refused(request.uri().path(), &Rejection::MethodNotAllowed)
        })
        .layer(middleware::from_fn_with_state(Arc::clone(&dashboard), auth::own_host))
        .layer(middleware::map_response(respond::secure))
        .with_state(dashboard)
}

/// Lets a bounded number of requests ask ClickHouse at once.
async fn in_turn(
    State(dashboard): State<Arc<Dashboard>>,
    request: Request,
    next: Next,
) -> Response {
    let turn = tokio::time::timeout(PATIENCE, dashboard.questions.acquire()).await;
    match turn {
        Ok(Ok(_turn)) => next.run(request).await,
        Ok(Err(_)) | Err(_) => respond::refused(request.uri().path(), &Rejection::Busy),
    }
}
