//! The flags of the gates.

use std::path::PathBuf;

use clap::Args;
use ipnet::IpNet;

use super::rate::Rate;
use crate::receive::TrustedProxy;

/// The flags that say who gets in.
#[derive(Args, Clone, Debug)]
pub(crate) struct GateConfig {
    /// Connections of one address (of IPv6: one /64) at a time; when it has more, its idle ones are closed,
    /// and where it has none, the new one is; 0: no limit
    #[arg(
        long,
        env = "FOOTFALL_CONNECTIONS_PER_ADDRESS_MAX",
        default_value_t = 512,
        value_name = "COUNT"
    )]
    connections_per_address_max: usize,
    /// Events a second that pages may send from one address (of IPv6: one /64), which may be a whole
    /// office's; a minute's worth may come at once, a request counts as at least one; 0: no limit
    #[arg(long, env = "FOOTFALL_PAGE_RATE", default_value_t = 500, value_name = "EVENTS")]
    page_rate: u32,
    /// The same for requests without an Origin: servers, apps and mail programs, which may speak for many
    /// visitors; 0: no limit
    #[arg(long, env = "FOOTFALL_SERVER_RATE", default_value_t = 10_000, value_name = "EVENTS")]
    server_rate: u32,
    /// Events a second for one site; a minute's worth may come at once; 0: no limit
    #[arg(long, env = "FOOTFALL_SITE_RATE", default_value_t = 50_000, value_name = "EVENTS")]
    site_rate: u32,
    /// Addresses to which no limit by address applies: an address, a network, or a name as in
    /// --trusted-proxy. A trusted proxy's connections are not limited either
    #[arg(long, env = "FOOTFALL_UNLIMITED_NETWORK", value_delimiter = ',', value_parser = TrustedProxy::parse, default_value = "loopback,private", value_name = "CIDR")]
    unlimited_network: Vec<TrustedProxy>,
    /// Take visits whose referrer is on the built-in list of spammers' domains
    #[arg(long, env = "FOOTFALL_KEEP_REFERRER_SPAM")]
    keep_referrer_spam: bool,
    /// Further domains of referrer spam, one a line, as in Matomo's referrer-spam-list; read at the start
    #[arg(long, env = "FOOTFALL_REFERRER_SPAM_FILE", value_name = "FILE")]
    referrer_spam_file: Option<PathBuf>,
}

/// The gates' settings, checked.
#[derive(Clone, Debug)]
pub(crate) struct GateSettings {
    /// `None`: no limit.
    pub(super) connections_per_address_max: Option<usize>,
    pub(super) page_rate: Option<Rate>,
    pub(super) server_rate: Option<Rate>,
    pub(super) site_rate: Option<Rate>,
    pub(super) unlimited: Vec<IpNet>,
    pub(super) keep_referrer_spam: bool,
    pub(super) referrer_spam_file: Option<PathBuf>,
}

impl GateConfig {
    pub(crate) fn settings(self) -> GateSettings {
        let connections = self.connections_per_address_max;
        GateSettings {
            connections_per_address_max: (connections > 0).then_some(connections),
            page_rate: Rate::per_second(self.page_rate),
            server_rate: Rate::per_second(self.server_rate),
            site_rate: Rate::per_second(self.site_rate),
            unlimited: self.unlimited_network.iter().flat_map(TrustedProxy::networks).collect(),
            keep_referrer_spam: self.keep_referrer_spam,
            referrer_spam_file: self.referrer_spam_file,
        }
    }
}
