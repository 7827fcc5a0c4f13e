//! Which hosts are a site's own.

use store::site::SiteSettings;

use super::page;

/// The hosts of a site's pages, as its settings tell them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SiteHosts {
    /// Of its origins and domains.
    own: Vec<String>,
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
        Self { own }
    }

    /// Whether the host, lower case, is one of the site's: what is under one may be another's, or the
    /// site's own blog that is not measured and leads to it.
    pub(super) fn is_own(&self, host: &str) -> bool {
        let host = bare(host);
        self.own.iter().any(|own| own == host)
    }
}

/// The host without its `www.`: nearly everywhere both are one site.
pub(super) fn bare(host: &str) -> &str {
    host.strip_prefix("www.").filter(|bare| bare.contains('.')).unwrap_or(host)
}
