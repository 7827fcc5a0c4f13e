//! Where an audience goes. One trait; a folder for each platform.

pub mod google;

use std::io;

use identifier::Kind;

use crate::Member;

/// A platform, and the form it wants people in.
pub trait Destination {
    /// Its name in a receipt, in snake case.
    fn name(&self) -> &'static str;

    /// By whose rule its e-mail addresses are hashed.
    fn email_kind(&self) -> Kind;

    /// Whether it could find this person by what is known.
    fn finds(&self, member: &Member) -> bool;

    /// Writes everyone.
    ///
    /// # Errors
    ///
    /// Where `out` does not take it. What was written then is no whole audience.
    fn write(&self, leaving: Leaving<'_>, out: &mut dyn io::Write) -> Result<(), WriteError>;
}

/// People who passed the consent gate, the suppression list and the size floor, sorted. Only a
/// [`Snapshot`](crate::Snapshot) makes one, so a destination cannot be given anybody else.
#[derive(Clone, Copy, Debug)]
pub struct Leaving<'a>(pub(crate) &'a [Member]);

impl<'a> Leaving<'a> {
    /// Each person once.
    #[must_use]
    pub const fn members(self) -> &'a [Member] {
        self.0
    }
}

/// The audience could not be written out.
#[derive(Debug, thiserror::Error)]
#[error("the audience could not be written")]
pub struct WriteError(#[from] io::Error);
