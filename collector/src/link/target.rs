//! Where a link may lead: to a page, and to nothing else that a browser would do with an address.

use url::{Origin, Url};
use wire::limits::URL_BYTES_MAX;

/// The address of a page, as a browser will read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(Url);

/// What the page's visits are counted under; each may be missing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Campaign<'a> {
    /// `utm_source`
    pub source: Option<&'a str>,
    /// `utm_medium`
    pub medium: Option<&'a str>,
    /// `utm_campaign`
    pub campaign: Option<&'a str>,
}

/// Why a link cannot lead there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// `javascript:`, `//host`, or no address at all.
    #[error("a link leads to a page: a whole address that begins with https:// or http://")]
    NotAPage,
    /// Readers of addresses do not agree on what it means.
    #[error("a link's target has no spaces, line breaks, control characters or backslashes in it")]
    Ambiguous,
    /// `https://shop.example@evil.example/` looks like another page than it is.
    #[error("a link's target has no user name or password in it")]
    WithUser,
    /// It would be cut.
    #[error("a link's target has at most {URL_BYTES_MAX} bytes")]
    TooLong,
    /// The target says already what it is counted under.
    #[error("the target has {0} already")]
    CampaignTwice(&'static str),
}

impl Target {
    /// The page at this address.
    ///
    /// # Errors
    /// When it is no page's, or could be read as another's.
    pub fn new(address: &str) -> Result<Self, TargetError> {
        if address.len() > URL_BYTES_MAX {
            return Err(TargetError::TooLong);
        }
        // The standard's reader takes tabs and line breaks out and turns backslashes, in silence.
        if address
            .chars()
            .any(|letter| letter.is_control() || letter.is_whitespace() || letter == '\\')
        {
            return Err(TargetError::Ambiguous);
        }
        let begins = |scheme: &str| {
            address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        };
        // It also takes `https:evil.example`.
        if !begins("https://") && !begins("http://") {
            return Err(TargetError::NotAPage);
        }
        let url = Url::parse(address).map_err(|_| TargetError::NotAPage)?;
        Self::checked(url)
    }

    /// The same page, its visits counted under the campaign.
    ///
    /// # Errors
    /// When the address names a part of it already, or gets too long.
    pub fn with_campaign(self, campaign: Campaign<'_>) -> Result<Self, TargetError> {
        let mut url = self.0;
        let parts = [
            ("utm_source", campaign.source),
            ("utm_medium", campaign.medium),
            ("utm_campaign", campaign.campaign),
        ];
        for (parameter, value) in parts {
            let Some(value) = value else { continue };
            if url.query_pairs().any(|(name, _)| name == parameter) {
                return Err(TargetError::CampaignTwice(parameter));
            }
            url.query_pairs_mut().append_pair(parameter, value);
        }
        Self::checked(url)
    }

    fn checked(url: Url) -> Result<Self, TargetError> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TargetError::WithUser);
        }
        if !matches!(url.origin(), Origin::Tuple(..)) {
            return Err(TargetError::NotAPage);
        }
        if url.as_str().len() > URL_BYTES_MAX {
            return Err(TargetError::TooLong);
        }
        Ok(Self(url))
    }

    /// The whole address, in ASCII.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}
