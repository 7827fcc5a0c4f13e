//! Who must never leave, whatever a segment says: kept as the same hashes as identifiers, per site.

use std::time::Duration;

use identifier::{Email, Hashed, Kind, ParseError, Phone};
use jiff::Timestamp;
use store::{Server, ServerError};
use wire::SiteName;

use crate::sql;

/// Bytes of a reason. It is for the operator's memory, not for text about a person.
pub const REASON_BYTES_MAX: usize = 256;

/// How long the insert of a few rows may take; of the user ids all the site's identifiers are looked through.
const SUPPRESS_TIMEOUT: Duration = Duration::from_secs(300);

/// An e-mail address or a phone number on its way onto the list, hashed already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    hashes: Vec<(Kind, Hashed)>,
}

/// Why somebody could not be put on the list. They may still leave then: whoever meets this must tell.
#[derive(Debug, thiserror::Error)]
pub enum SuppressError {
    /// The reason is too long.
    #[error("the reason has {bytes} bytes, more than {REASON_BYTES_MAX}")]
    ReasonTooLong {
        /// How long it is.
        bytes: usize,
    },
    /// ClickHouse did not take it.
    #[error(transparent)]
    Server(#[from] ServerError),
}

impl Suppression {
    /// Reads an e-mail address. It is suppressed by the rule of every platform, so at Gmail with any
    /// dots and any `+tag`.
    ///
    /// # Errors
    ///
    /// As [`Email::parse`].
    pub fn email(raw: &str) -> Result<Self, ParseError> {
        let email = Email::parse(raw)?;
        Ok(Self {
            hashes: vec![(Kind::EmailGoogle, email.google()), (Kind::EmailMeta, email.meta())],
        })
    }

    /// Reads a phone number; `region` (a country's code or name) reads a national one. It is suppressed by
    /// the rule of every platform.
    ///
    /// # Errors
    ///
    /// As [`Phone::parse`], and where the region is no country.
    pub fn phone(raw: &str, region: Option<&str>) -> Result<Self, ParseError> {
        let region = region.map(identifier::Country::parse).transpose()?;
        let phone = Phone::parse(raw, region)?;
        Ok(Self { hashes: vec![(Kind::Phone, phone.google()), (Kind::PhoneMeta, phone.meta())] })
    }

    /// Puts it on a site's list, with the user ids it was told of so far. Whoever is known by it leaves no more,
    /// from the next snapshot on. To do it again adds the user ids since, and changes nothing else but the reason
    /// and the time.
    ///
    /// # Errors
    ///
    /// Where the reason is too long, or ClickHouse does not take it.
    pub async fn apply(
        &self,
        server: &Server,
        site: &SiteName,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), SuppressError> {
        if reason.len() > REASON_BYTES_MAX {
            return Err(SuppressError::ReasonTooLong { bytes: reason.len() });
        }
        let kinds = self.hashes.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>();
        let values = self.hashes.iter().map(|(_, hashed)| hashed.to_string()).collect::<Vec<_>>();
        for statement in [sql::SUPPRESS, sql::SUPPRESS_USERS] {
            let insert = server
                .client()
                .query_raw(statement)
                .param("site", site.as_str())
                .param("kinds", &kinds)
                .param("values", &values)
                .param("reason", reason)
                .param("suppressed_at", now.as_millisecond());
            server.within(SUPPRESS_TIMEOUT, insert.execute()).await?;
        }
        Ok(())
    }
}
