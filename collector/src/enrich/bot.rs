//! Whether a program sent the events, and which layer told it.

use wire::Context;

use super::user_agent::Device;

/// The layer that told a program from a person; its name stands in `bot_events`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum BotReason {
    /// The user agent is a crawler's.
    UserAgent,
    /// The browser says that a program drives it.
    Webdriver,
}

impl BotReason {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::UserAgent => "user_agent",
            Self::Webdriver => "webdriver",
        }
    }
}

pub(super) fn judge(device: &Device, context: &Context<'_>) -> Option<BotReason> {
    if device.crawler {
        Some(BotReason::UserAgent)
    } else if context.webdriver {
        Some(BotReason::Webdriver)
    } else {
        None
    }
}
