//! Whether a program sent the events, and which layer told it.

use std::net::IpAddr;
use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};
use wire::Context;

use super::network::Networks;
use super::user_agent::Device;

/// The layer that told a program from a person; its name stands in `bot_events`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum BotReason {
    /// The user agent is a program's.
    UserAgent,
    /// There is no user agent: every browser sends one.
    NoUserAgent,
    /// The browser says that a program drives it.
    Webdriver,
    /// The client hints say what no browser does, or another system than the user agent.
    ClientHints,
    /// A page is named and a browser, and nothing else that a browser sends is there.
    Headers,
    /// The address is of a network that houses servers.
    DataCentre,
    /// The visitor had more page views in a minute than a human can look at.
    Rate,
}

impl BotReason {
    /// Every layer, in the order of their numbers.
    pub(crate) const ALL: [Self; 7] = [
        Self::UserAgent,
        Self::NoUserAgent,
        Self::Webdriver,
        Self::ClientHints,
        Self::Headers,
        Self::DataCentre,
        Self::Rate,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::UserAgent => "user_agent",
            Self::NoUserAgent => "no_user_agent",
            Self::Webdriver => "webdriver",
            Self::ClientHints => "client_hints",
            Self::Headers => "headers",
            Self::DataCentre => "data_centre",
            Self::Rate => "rate",
        }
    }
}

/// The first layer that is sure; the cheap ones first. `bare` is whether the request has nothing that
/// every browser sends.
pub(super) fn judge(
    device: &Device,
    bare: bool,
    context: &Context<'_>,
    ip: IpAddr,
    networks: &Networks,
) -> Option<BotReason> {
    if device.nameless {
        Some(BotReason::NoUserAgent)
    } else if device.crawler {
        Some(BotReason::UserAgent)
    } else if context.webdriver {
        Some(BotReason::Webdriver)
    } else if device.impossible {
        Some(BotReason::ClientHints)
    } else if bare && device.says_browser {
        Some(BotReason::Headers)
    } else if networks.is_data_centre(ip) {
        Some(BotReason::DataCentre)
    } else {
        None
    }
}

/// Bytes of automaton that are kept. The patterns as one need about 2 MB; with less it would be built
/// again and again while it searches.
const AUTOMATON_BYTES_MAX: usize = 16 * 1024 * 1024;

/// All patterns as one; `None` where it cannot be built, which a test rules out.
static PROGRAMS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let patterns: Vec<_> = include_str!("tables/bot_user_agents.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    RegexBuilder::new(&patterns.join("|"))
        .case_insensitive(true)
        .unicode(false)
        .size_limit(AUTOMATON_BYTES_MAX)
        .dfa_size_limit(AUTOMATON_BYTES_MAX)
        .build()
        .ok()
});

/// Whether a user agent is a program's, as its text tells.
pub(super) fn is_program(user_agent: &str) -> bool {
    PROGRAMS.as_ref().is_some_and(|programs| programs.is_match(user_agent.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_around_as_the_patterns_did() {
        assert!(PROGRAMS.is_some());
        let browser = |token: &str| {
            format!("Mozilla/5.0 (X11; Linux x86_64) Chrome/1.0 {token} Safari/537.36")
        };
        for token in
            ["http", "Googlebot", "xscan", "java", "news", "bots_x", "google", "pre-http-x"]
        {
            assert!(is_program(&browser(token)), "{token}");
        }
        for token in
            ["libhttp", "camscan", "java;", "newssapphire", "cubot", "GoogleApp", "google pixel"]
        {
            assert!(!is_program(&browser(token)), "{token}");
        }
        assert!(!is_program(&browser("")));
    }
}
