//! Google Ads. By now as a file for Customer Match, uploaded by hand.

mod csv;

use std::io;

use identifier::Kind;

use super::{Destination, Leaving, WriteError};
use crate::Member;

/// A Customer Match file as Google Ads takes it for upload: hashed, UTF-8, lines end in `\n`.
#[derive(Clone, Copy, Debug, Default)]
pub struct CustomerMatchCsv;

impl Destination for CustomerMatchCsv {
    fn name(&self) -> &'static str {
        "google_customer_match_csv"
    }

    fn email_kind(&self) -> Kind {
        Kind::EmailGoogle
    }

    fn finds(&self, member: &Member) -> bool {
        !member.emails().is_empty() || !member.phones().is_empty() || member.address().is_some()
    }

    fn write(&self, leaving: Leaving<'_>, out: &mut dyn io::Write) -> Result<(), WriteError> {
        csv::write(leaving, out).map_err(|error| WriteError::from(io::Error::from(error)))
    }
}
