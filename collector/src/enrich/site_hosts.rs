//! Of which hosts a site's pages are.

use std::borrow::Cow;

use store::site::SiteSettings;

use super::page;

/// The hosts of a site's pages, as its settings tell them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SiteHosts {
    /// Of its origins and domains.
    own: Vec<String>,
    /// Those whose pages, and those of all under them, events may be of; none: any.
    allowed: Option<Vec<String>>,
}

impl SiteHosts {
    pub(super) fn of(settings: &SiteSettings) -> Self {
        let origins = settings.origins.iter().map(|origin| origin.as_str().to_owned());
        let domains = settings.tracker.domains.iter();
        let domains = domains.map(|domain| format!("https://{domain}").replace("/.", "/"));
        let hosts = origins.chain(domains);
        let mut own: Vec<_> = hosts.map(|url| bare(&page::host(&url)).to_owned()).collect();
        own.retain(|host| !host.is_empty());
        own.sort();
        own.dedup();
        let chosen: Vec<_> = settings.hosts.iter().map(|host| host.name()).collect();
        let allowed = match chosen.as_slice() {
            [] => Some(own.clone()).filter(|own| !own.is_empty()),
            chosen if chosen.contains(&None) => None,
            chosen => Some(chosen.iter().flatten().map(|host| bare(host).to_owned()).collect()),
        };
        Self { own, allowed }
    }

    /// Whether an event may be of a page of this host, lower case. It is empty where there is no page: what
    /// happens on a server has none.
    pub(crate) fn allow(&self, host: &str) -> bool {
        let Some(allowed) = self.allowed.as_ref().filter(|_| !host.is_empty()) else { return true };
        let host = ascii(host);
        let host = host.strip_suffix('.').unwrap_or(&host);
        allowed.iter().any(|allowed| {
            host.strip_suffix(allowed.as_str())
                .is_some_and(|under| under.is_empty() || under.ends_with('.'))
        })
    }

    /// Whether the host, lower case, is one of the site's: what is under one may be another's, or the
    /// site's own blog that is not measured and leads to it.
    pub(super) fn is_own(&self, host: &str) -> bool {
        let host = bare(host);
        self.own.iter().any(|own| own == host)
    }
}

/// Bytes of a name that may be an international one: an ASCII form has 253 (RFC 1035, 2.3.4), and writing it
/// costs for each of its letters as much as there are.
const INTERNATIONAL_BYTES_MAX: usize = 256;

/// An international name as settings have it. A browser says it so; a server may not.
fn ascii(host: &str) -> Cow<'_, str> {
    if host.is_ascii() || host.len() > INTERNATIONAL_BYTES_MAX {
        return Cow::Borrowed(host);
    }
    url::Host::parse(host).map_or(Cow::Borrowed(host), |host| Cow::Owned(host.to_string()))
}

/// The host without its `www.`: nearly everywhere both are one site.
pub(super) fn bare(host: &str) -> &str {
    host.strip_prefix("www.").filter(|bare| bare.contains('.')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The longer a name, the more each of its letters costs.
    #[test]
    fn only_what_may_be_a_name_is_read_as_an_international_one() {
        assert_eq!(ascii("žarulje.example"), "xn--arulje-2pb.example");
        let long: String = ('\u{4e00}'..).take(900).collect();
        assert!(matches!(ascii(&long), Cow::Borrowed(same) if same == long));
    }
}
