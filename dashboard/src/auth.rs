//! Who may ask. There is no sign-in yet, so the dashboard answers this machine only: it listens on loopback
//! ([`DashboardConfig::check`](crate::DashboardConfig::check)), and it answers to loopback names only, because a
//! hostile site may point a name of its own at 127.0.0.1 and have a visitor's browser ask (DNS rebinding).

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::middleware::Next;
use axum::response::Response;

use crate::error::Rejection;
use crate::respond;
use crate::server::Dashboard;

/// What of a foreign host's name is told back.
const HOST_SHOWN_CHARACTERS: usize = 80;

pub(crate) async fn own_host(
    State(dashboard): State<Arc<Dashboard>>,
    request: Request,
    next: Next,
) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if dashboard.settings.allow_unauthenticated || is_own(host, dashboard.address.ip()) {
        return next.run(request).await;
    }
    let host = host.chars().take(HOST_SHOWN_CHARACTERS).collect();
    respond::refused(request.uri().path(), &Rejection::HostForeign { host })
}

/// Whether a `Host` header names this machine: a loopback address, `localhost`, or the address listened on.
fn is_own(host: &str, listening: IpAddr) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    if authority.as_str().contains('@') {
        return false;
    }
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    match name.parse::<IpAddr>() {
        Ok(address) => address.is_loopback() || address == listening,
        Err(_) => name.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_to_loopback_names_and_its_own_address_only() {
        let listening: IpAddr = "192.0.2.7".parse().unwrap();
        for own in ["127.0.0.1:4401", "127.0.0.1", "LocalHost:1", "[::1]:4401", "192.0.2.7:4401"] {
            assert!(is_own(own, listening), "{own}");
        }
        for foreign in [
            "",
            "evil.example",
            "evil.example:4401",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "127.0.0.1@evil.example",
            "evil@127.0.0.1",
            "192.0.2.8",
            "[::2]:4401",
        ] {
            assert!(!is_own(foreign, listening), "{foreign}");
        }
    }
}
