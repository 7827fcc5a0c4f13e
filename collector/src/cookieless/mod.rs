//! Visitors whose browser keeps no id: for one day they go by one that is made of what every request
//! says anyway, and of a random salt that is destroyed when the day is over. From then on nobody can
//! make the id again, from whatever address.

mod daily_salt;
mod salt_file;

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use store::site::Visitors;
use uuid::Uuid;
use wire::SiteName;

pub(crate) use self::daily_salt::DailySalts;
use self::daily_salt::Salt;
use crate::validate::{DropReason, Site};

/// How the visitor of one request's events is known.
#[derive(Clone, Debug)]
pub(crate) enum Visitor {
    /// By the id that was sent.
    Sent,
    /// By the day's, whatever was sent. None where nothing is known of the visitor that it could be
    /// made of.
    OfTheDay(Option<OfTheDay>),
    /// By the id that was sent, else by the day's.
    SentOrOfTheDay(Option<OfTheDay>),
}

/// A visitor of one day.
#[derive(Clone, Debug)]
pub(crate) struct OfTheDay {
    id: Uuid,
    salt: Arc<Salt>,
}

impl Visitor {
    /// The visitor at this address; the unspecified one where a server speaks for somebody and does not
    /// tell theirs.
    pub(crate) fn of(
        site: &Site,
        ip: IpAddr,
        user_agent: &str,
        received_at: i64,
        salts: &DailySalts,
    ) -> Self {
        let of_the_day = || {
            let salt = salts.at(received_at).filter(|_| !ip.is_unspecified())?;
            Some(OfTheDay { id: visitor(&salt, &site.name, ip, user_agent), salt })
        };
        match site.visitors {
            Visitors::Kept => Self::Sent,
            Visitors::Cookieless => Self::OfTheDay(of_the_day()),
            Visitors::Either => Self::SentOrOfTheDay(of_the_day()),
        }
    }

    /// The visitor's id and, where one was sent, the session's; empty texts are ids that were not.
    pub(crate) fn ids(
        &self,
        visitor: &str,
        session: &str,
    ) -> Result<(Uuid, Option<Uuid>), DropReason> {
        let of_the_day = match self {
            Self::OfTheDay(of_the_day) => Some(of_the_day),
            Self::SentOrOfTheDay(of_the_day) if visitor.is_empty() => Some(of_the_day),
            Self::Sent | Self::SentOrOfTheDay(_) => None,
        };
        if let Some(of_the_day) = of_the_day {
            let OfTheDay { id, salt } = of_the_day.as_ref().ok_or(DropReason::VisitorMissing)?;
            let session = session_sent(session)?.map(|sent| self::session(salt, *id, sent));
            return Ok((*id, session));
        }
        if visitor.is_empty() {
            return Err(DropReason::VisitorMissing);
        }
        let visitor = Uuid::try_parse(visitor).map_err(|_| DropReason::VisitorNotUuid)?;
        Ok((visitor, session_sent(session)?))
    }
}

impl Visitor {
    /// The ids that may be kept of an event that was left out, in place of the sent ones; empty where there
    /// is none. `None` where the sent ones are as good as stored.
    pub(crate) fn kept_ids(&self, visitor: &str, session: &str) -> Option<[String; 2]> {
        if matches!(self, Self::Sent)
            || matches!(self, Self::SentOrOfTheDay(_) if !visitor.is_empty())
        {
            return None;
        }
        let ids = self.ids(visitor, session).or_else(|_| self.ids(visitor, "")).ok();
        let (visitor, session) = ids.map_or((None, None), |(id, session)| (Some(id), session));
        Some([visitor, session].map(|id| id.map_or_else(String::new, |id| id.to_string())))
    }
}

fn session_sent(session: &str) -> Result<Option<Uuid>, DropReason> {
    if session.is_empty() {
        return Ok(None);
    }
    Uuid::try_parse(session).map(Some).map_err(|_| DropReason::SessionNotUuid)
}

fn visitor(salt: &Salt, site: &SiteName, ip: IpAddr, user_agent: &str) -> Uuid {
    // A name has no nought in it and an address has a fixed length: no two visitors say the same.
    let parts = [site.as_str().as_bytes(), b"\0", &household(ip), user_agent.as_bytes()];
    made(salt, b"visitor\0", &parts)
}

/// A page may tell its runs of events apart without keeping anything. What it sends is mixed with the
/// day's salt, so that it ties no two days together either.
fn session(salt: &Salt, visitor: Uuid, sent: Uuid) -> Uuid {
    made(salt, b"session\0", &[visitor.as_bytes(), sent.as_bytes()])
}

/// HMAC-SHA-256 as a UUID of the version that is free for such use (RFC 9562, 5.8).
fn made(salt: &Salt, what: &[u8], parts: &[&[u8]]) -> Uuid {
    let mut mac = Hmac::<Sha256>::new(&salt.block().into());
    mac.update(what);
    parts.iter().for_each(|part| mac.update(part));
    let digest = mac.finalize().into_bytes();
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest).for_each(|(place, byte)| *place = byte);
    Uuid::new_v8(bytes)
}

/// What one household has of an address: of IPv4 all of it, of IPv6 the first half, because a machine
/// changes the other by itself many times a day (RFC 8981).
fn household(ip: IpAddr) -> [u8; 16] {
    let ip = match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => Ipv6Addr::from(u128::from(ip) & u128::MAX << 64),
    };
    ip.octets()
}

#[cfg(test)]
mod tests;
