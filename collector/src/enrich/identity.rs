//! By what an ad platform may know the visitor: hashes, made here so that what was typed into a form
//! never reaches the disk.

use identifier::Identifier;
use wire::Kind;

use crate::validate::ValidEvent;

/// Hashed, or plain where platforms want a country or postal code.
pub(crate) type Identifiers = Vec<Identifier>;

/// Takes the traits out of an identify event and gives what they hash to. Traits that are no
/// identifier are not kept either. The visit's country tells how a national phone number is read.
pub(super) fn take(event: &mut ValidEvent<'_>, country: &str) -> Identifiers {
    if event.kind != Kind::Identify {
        return Vec::new();
    }
    let traits = std::mem::take(&mut event.properties);
    let region = (!country.is_empty()).then_some(country);
    identifier::from_traits(traits.iter().map(|(name, value)| (&**name, &**value)), region)
}
