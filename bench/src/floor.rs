//! The floor: what receiving costs before anything is done with it. A bare hyper server that reads
//! each body, parses it into the wire's own types, keeps nothing and answers 202.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use clap::Parser;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::value::RawValue;
use tokio::net::TcpListener;
use wire::{Answer, Batch, Event};

/// Reads, parses, answers 202
#[derive(Parser)]
struct Arguments {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind(Arguments::parse().listen).await?;
    #[expect(clippy::print_stdout, reason = "whoever started it waits for this line")]
    {
        println!("floor ready at {}", listener.local_addr()?);
    }
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(
            http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)),
        );
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let accepted = match request.into_body().collect().await {
        Ok(body) => events(&body.to_bytes()),
        Err(_) => None,
    };
    let (status, accepted) =
        accepted.map_or((StatusCode::BAD_REQUEST, 0), |events| (StatusCode::ACCEPTED, events));
    let answer = Answer { accepted, ..Answer::default() };
    let body = serde_json::to_vec(&answer).unwrap_or_default();
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

fn events(body: &[u8]) -> Option<u32> {
    let batch: Batch<'_, Event<'_, &RawValue>> = serde_json::from_slice(body).ok()?;
    batch.events.len().try_into().ok()
}
