//! What an operator may set.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use clap::Args;
use jiff::Timestamp;
use store::site::Origin;

use crate::error::StartError;

/// Loopback, because nobody is asked who they are; the port beside the collector's.
const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4401);

/// As the collector listens where nothing else is said.
const COLLECTOR_URL_DEFAULT: &str = "http://127.0.0.1:4400";

/// The dashboard's flags, unchecked.
#[derive(Args, Clone, Debug)]
pub struct DashboardConfig {
    /// Where the dashboard and its API answer
    #[arg(long = "dashboard-listen", env = "FOOTFALL_DASHBOARD_LISTEN", value_name = "ADDRESS", default_value_t = LISTEN_DEFAULT)]
    listen: SocketAddr,
    /// Let the dashboard listen where other machines can reach it, though it asks nobody who they are
    #[arg(long, env = "FOOTFALL_ALLOW_UNAUTHENTICATED")]
    allow_unauthenticated: bool,
    /// Where browsers reach the collector; stands in the tag the dashboard shows [default: where it listens]
    #[arg(long, env = "FOOTFALL_COLLECTOR_URL", value_name = "URL")]
    collector_url: Option<Origin>,
}

impl DashboardConfig {
    /// Holds the flags against each other and against this build.
    ///
    /// # Errors
    /// An address other machines can reach without `--allow-unauthenticated`, or a build without the
    /// browser's scripts.
    pub fn check(self) -> Result<Settings, StartError> {
        if !self.listen.ip().is_loopback() && !self.allow_unauthenticated {
            return Err(StartError::Unauthenticated { listen: self.listen });
        }
        crate::assets::check()?;
        Ok(Settings {
            listen: self.listen,
            allow_unauthenticated: self.allow_unauthenticated,
            collector_url: self.collector_url,
            ..Settings::loopback(0)
        })
    }
}

/// How the dashboard runs.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) allow_unauthenticated: bool,
    pub(crate) collector_url: Option<Origin>,
    pub(crate) now: fn() -> Timestamp,
}

impl Settings {
    /// What holds where nothing is said, on a port of 127.0.0.1; 0 takes a free one. For a program that runs
    /// the dashboard without its flags; whether this build has the browser's scripts is not looked at.
    #[must_use]
    pub fn loopback(port: u16) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            allow_unauthenticated: false,
            collector_url: None,
            now: Timestamp::now,
        }
    }

    /// Answers whoever asks, by whatever name: `--allow-unauthenticated`.
    #[must_use]
    pub fn answering_anyone(mut self) -> Self {
        self.allow_unauthenticated = true;
        self
    }

    /// Where to listen.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Tells where the collector of this process listens (`http` or `https`), for the tag; a `--collector-url` goes before it.
    #[must_use]
    pub fn collector_at(mut self, scheme: &str, collector: SocketAddr) -> Self {
        if self.collector_url.is_none() {
            self.collector_url = format!("{scheme}://{collector}").parse().ok();
        }
        self
    }

    /// Another clock than the machine's: a test's.
    #[must_use]
    pub fn clock(mut self, now: fn() -> Timestamp) -> Self {
        self.now = now;
        self
    }

    /// What stands before `/s/SITE.js` in a tag.
    pub(crate) fn collector_url(&self) -> &str {
        self.collector_url.as_ref().map_or(COLLECTOR_URL_DEFAULT, Origin::as_str)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        dashboard: DashboardConfig,
    }

    fn config(flags: &[&str]) -> DashboardConfig {
        Program::parse_from([&["footfall"], flags].concat()).dashboard
    }

    #[test]
    fn refuses_an_address_others_can_reach_unless_told() {
        for listen in ["0.0.0.0:4401", "192.0.2.1:4401", "[::]:4401"] {
            let refused = config(&["--dashboard-listen", listen]).check().unwrap_err();
            assert!(matches!(refused, StartError::Unauthenticated { .. }), "{refused}");
            assert!(refused.to_string().contains("--allow-unauthenticated"), "{refused}");
            let allowed =
                config(&["--dashboard-listen", listen, "--allow-unauthenticated"]).check();
            assert!(!matches!(allowed, Err(StartError::Unauthenticated { .. })));
        }
        for listen in ["127.0.0.1:0", "127.9.9.9:1", "[::1]:0"] {
            let checked = config(&["--dashboard-listen", listen]).check();
            assert!(!matches!(checked, Err(StartError::Unauthenticated { .. })));
        }
    }
}
