//! Who gets in, how often and how much: connections, events a second by address and by site, and a
//! site's events a day. Each holds in a bounded memory, and for this collector alone.

mod address;
mod bodies;
mod config;
mod connections;
mod open_files;
mod quota;
mod rate;

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use ipnet::IpNet;

pub(crate) use self::bodies::Bodies;
pub(crate) use self::config::{GateConfig, GateSettings};
pub(crate) use self::connections::{Connections, Entered, Guest, UnderWay};
pub(crate) use self::open_files::raise_open_files;
pub(crate) use self::quota::Quotas;

use self::address::Address;
use self::rate::{Key, Rates};
use crate::error::Rejection;
use crate::pipeline::Sender;
use crate::validate::{ReferrerSpam, Site};

/// How long after a warning the next one of its kind comes.
const WARN_EVERY_MILLIS: u64 = 10 * 60 * 1000;

/// What a request's events must pass.
#[derive(Debug)]
pub(crate) struct Gates {
    settings: GateSettings,
    rates: Rates,
    pub(crate) quotas: Quotas,
    pub(crate) spam: ReferrerSpam,
    pub(crate) bodies: Bodies,
    /// By `rates`' clock; 0: never.
    warned_at: AtomicU64,
}

impl Gates {
    pub(crate) fn new(settings: GateSettings) -> Self {
        let file = settings.referrer_spam_file.as_deref();
        Self {
            spam: ReferrerSpam::open(!settings.keep_referrer_spam, file),
            bodies: Bodies::new(),
            settings,
            rates: Rates::default(),
            quotas: Quotas::default(),
            warned_at: AtomicU64::new(0),
        }
    }

    /// Before a body is read: an address that is far over its rate is sent away, and a request counts as
    /// one event, whatever is in it.
    pub(crate) fn knock(&self, sender: Sender<'_>) -> Result<(), Rejection> {
        let Some((key, rate)) = self.of_address(sender) else { return Ok(()) };
        let now = self.rates.now();
        self.rates.take(key, rate, 1, now).map_err(|wait| {
            self.warn_of_an_address(now);
            Rejection::AddressTooFast { wait }
        })
    }

    /// Before the events are looked at; what the address has left is for its next request to learn.
    pub(crate) fn batch(
        &self,
        sender: Sender<'_>,
        site: &Site,
        events: usize,
        now_millis: i64,
    ) -> Result<(), Rejection> {
        self.quotas.check(site, now_millis)?;
        let events = events as u64;
        if let Some(rate) = self.settings.site_rate {
            let key = Key::Site(site.name.as_str());
            let taken = self.rates.take(key, rate, events.max(1), self.rates.now());
            taken.map_err(|wait| Rejection::SiteTooFast { wait })?;
        }
        // One was taken at the door.
        if events > 1
            && let Some((key, rate)) = self.of_address(sender)
        {
            self.rates.charge(key, rate, events - 1, self.rates.now());
        }
        Ok(())
    }

    /// A page names its origin, a server none. Whoever leaves it out has the larger rate, but no more.
    fn of_address(&self, sender: Sender<'_>) -> Option<(Key<'static>, rate::Rate)> {
        let rate = match sender.origin {
            Some(_) => self.settings.page_rate,
            None => self.settings.server_rate,
        }?;
        if contains(&self.settings.unlimited, sender.ip) {
            return None;
        }
        let address = Address::of(sender.ip);
        let key = if sender.origin.is_some() { Key::Page(address) } else { Key::Server(address) };
        Some((key, rate))
    }

    /// The address itself stands in no log.
    fn warn_of_an_address(&self, now: u64) {
        let now = now / 1_000_000 + 1;
        let last = self.warned_at.load(Ordering::Relaxed);
        if (last == 0 || now.saturating_sub(last) > WARN_EVERY_MILLIS)
            && self.warned_at.swap(now, Ordering::Relaxed) == last
        {
            tracing::warn!(
                "an address sends faster than --page-rate or --server-rate allows; where it is a \
                 proxy's, name it with --trusted-proxy, and where it is your own server's, with \
                 --unlimited-network"
            );
        }
    }
}

/// Whether the address is of one of the networks. Asked for every request and several times.
pub(crate) fn contains(networks: &[IpNet], ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    networks.iter().any(|network| {
        let same_bits = match (network, ip) {
            (IpNet::V4(network), IpAddr::V4(ip)) => {
                (network.addr().to_bits() ^ ip.to_bits()).leading_zeros()
            }
            (IpNet::V6(network), IpAddr::V6(ip)) => {
                (network.addr().to_bits() ^ ip.to_bits()).leading_zeros()
            }
            _ => return false,
        };
        same_bits >= network.prefix_len().into()
    })
}

#[cfg(test)]
mod tests;
