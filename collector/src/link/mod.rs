//! Redirect links: an address of the collector's that leads on to a page, and whose visit is an
//! event. For where no script runs: a newsletter, a QR code, an advertisement.
//!
//! A link is signed by whoever has the key, so the collector leads nobody to where its operator did
//! not send them: it is no open redirect.

mod key;
mod target;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Mac;
use url::form_urlencoded;
use wire::SiteName;
use wire::limits::NAME_BYTES_MAX;

pub use self::key::{LinkKey, LinkKeyError};
pub use self::target::{Campaign, Target, TargetError};

/// Bytes of HMAC-SHA-256 that stand in a link: half of it, as RFC 2104 (5.) allows, so that a QR code
/// stays small. <https://www.rfc-editor.org/rfc/rfc2104>
const SIGNATURE_BYTES: usize = 16;
/// What is signed begins so: another use of the same key could never make a link.
const PURPOSE: &[u8] = b"footfall link 1\0";

/// One redirect link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    site: SiteName,
    target: Target,
    name: String,
}

/// Why there is no such link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The name would be cut.
    #[error("a link's name has at most {NAME_BYTES_MAX} bytes")]
    NameTooLong,
    /// It leads nowhere.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// It was not made with this key, or not just so.
    #[error("the link is not signed")]
    NotSigned,
}

impl Link {
    /// A link of the site to the target; the name, which may be empty, tells its clicks from others'.
    ///
    /// # Errors
    /// When the name is too long.
    pub fn new(site: SiteName, target: Target, name: &str) -> Result<Self, LinkError> {
        let name = name.trim().to_owned();
        if name.len() > NAME_BYTES_MAX {
            return Err(LinkError::NameTooLong);
        }
        Ok(Self { site, target, name })
    }

    /// The path and query under the collector's address: `/r/SITE/SIGNATURE?to=...&name=...`.
    #[must_use]
    pub fn path(&self, key: &LinkKey) -> String {
        let digest = self.signed(key).finalize().into_bytes();
        let signature = digest.get(..SIGNATURE_BYTES).unwrap_or_default();
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("to", self.target.as_str());
        if !self.name.is_empty() {
            query.append_pair("name", &self.name);
        }
        format!("/r/{}/{}?{}", self.site, URL_SAFE_NO_PAD.encode(signature), query.finish())
    }

    /// Reads what stands behind `/r/`. Of equal parameters the first counts; others than a link's own
    /// are left alone, because mail programs append theirs.
    ///
    /// # Errors
    /// When it is no link that was made with this key.
    pub fn read(path: &str, query: &str, key: &LinkKey) -> Result<Self, LinkError> {
        let (site, signature) = path.split_once('/').ok_or(LinkError::NotSigned)?;
        let site: SiteName = site.parse().map_err(|_| LinkError::NotSigned)?;
        let (mut to, mut name) = (None, None);
        for (parameter, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*parameter {
                "to" => _ = to.get_or_insert(value),
                "name" => _ = name.get_or_insert(value),
                _ => {}
            }
        }
        // Looked at again though it is signed: what was signed by an older release, or by hand, must
        // lead to a page too.
        let target = Target::new(&to.unwrap_or_default())?;
        let link = Self::new(site, target, &name.unwrap_or_default())?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| LinkError::NotSigned)?;
        // A shorter one would be easier to guess.
        if signature.len() != SIGNATURE_BYTES {
            return Err(LinkError::NotSigned);
        }
        let signed = link.signed(key).verify_truncated_left(&signature);
        signed.map_err(|_| LinkError::NotSigned)?;
        Ok(link)
    }

    /// Whose it is.
    #[must_use]
    pub const fn site(&self) -> &SiteName {
        &self.site
    }

    /// Where it leads.
    #[must_use]
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// What its clicks are told by; may be empty.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Each field with its length before it: no two links sign the same bytes.
    fn signed(&self, key: &LinkKey) -> key::HmacSha256 {
        let mut mac = key.mac();
        mac.update(PURPOSE);
        for field in [self.site.as_str(), self.target.as_str(), &self.name] {
            mac.update(&(field.len() as u64).to_le_bytes());
            mac.update(field.as_bytes());
        }
        mac
    }
}

#[cfg(test)]
mod tests;
