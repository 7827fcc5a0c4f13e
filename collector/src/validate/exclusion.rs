//! What a site does not want to be told.

use std::net::IpAddr;

use store::site::Exclusion;

use super::DropReason;

/// A site's exclusions. There are few, so each is asked in turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exclusions(Vec<Exclusion>);

impl Exclusions {
    pub(super) fn new(exclusions: Vec<Exclusion>) -> Self {
        Self(exclusions)
    }

    /// Why nothing of this sender is wanted, whose addresses are the request's and the visitor's, told by a server; the
    /// country is empty where it is unknown.
    pub(super) fn sender(
        &self,
        addresses: [IpAddr; 2],
        user_agent: &str,
        country: &str,
    ) -> Option<DropReason> {
        self.0.iter().find_map(|exclusion| match exclusion {
            Exclusion::Network(network) => {
                let has_one = addresses.iter().any(|ip| network.contains(ip));
                has_one.then_some(DropReason::ExcludedNetwork)
            }
            Exclusion::Country(excluded) => {
                (excluded == country).then_some(DropReason::ExcludedCountry)
            }
            Exclusion::UserAgent(text) => {
                contains(user_agent, text).then_some(DropReason::ExcludedUserAgent)
            }
            Exclusion::Host(_) | Exclusion::Path(_) | Exclusion::Referrer(_) => None,
        })
    }

    /// Why nothing of this page is wanted; both are empty where an event has no page.
    pub(super) fn page(&self, host: &str, path: &str) -> Option<DropReason> {
        self.0.iter().find_map(|exclusion| match exclusion {
            Exclusion::Host(excluded) => (excluded == host).then_some(DropReason::ExcludedHost),
            Exclusion::Path(prefix) => {
                path.starts_with(prefix.as_str()).then_some(DropReason::ExcludedPath)
            }
            Exclusion::Network(_)
            | Exclusion::Country(_)
            | Exclusion::UserAgent(_)
            | Exclusion::Referrer(_) => None,
        })
    }

    /// Whether nothing is wanted that comes from this host, lower case, or from one under an excluded one.
    pub(super) fn referrer(&self, host: &str) -> bool {
        self.0.iter().any(|exclusion| match exclusion {
            Exclusion::Referrer(excluded) => host
                .strip_suffix(excluded.as_str())
                .is_some_and(|below| below.is_empty() || below.ends_with('.')),
            _ => false,
        })
    }
}

/// Whether the text has the lower-case needle in it, in any case.
fn contains(text: &str, needle: &str) -> bool {
    text.as_bytes().windows(needle.len()).any(|part| part.eq_ignore_ascii_case(needle.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exclusions(texts: &[&str]) -> Exclusions {
        Exclusions::new(texts.iter().map(|text| text.parse().unwrap()).collect())
    }

    #[test]
    fn each_rule_excludes_what_it_says() {
        let rules = exclusions(&[
            "network=10.0.0.0/8",
            "network=2001:db8::/32",
            "country=HR",
            "user-agent=UptimeRobot",
            "host=staging.shop.example",
            "path=/admin",
            "referrer=spam.example",
        ]);
        let sender =
            |ip: &str, agent, country| rules.sender([ip.parse().unwrap(); 2], agent, country);
        assert_eq!(sender("10.9.9.9", "", ""), Some(DropReason::ExcludedNetwork));
        assert_eq!(sender("2001:db8::7", "", ""), Some(DropReason::ExcludedNetwork));
        assert_eq!(sender("192.0.2.1", "", "HR"), Some(DropReason::ExcludedCountry));
        assert_eq!(
            sender("192.0.2.1", "Mozilla (uptimerobot/2.0)", "DE"),
            Some(DropReason::ExcludedUserAgent)
        );
        assert_eq!(sender("192.0.2.1", "Mozilla", ""), None);
        let both = |ips: [&str; 2]| rules.sender(ips.map(|ip| ip.parse().unwrap()), "", "");
        assert_eq!(both(["10.9.9.9", "192.0.2.1"]), Some(DropReason::ExcludedNetwork));
        assert_eq!(both(["192.0.2.1", "10.9.9.9"]), Some(DropReason::ExcludedNetwork));
        assert_eq!(rules.page("staging.shop.example", "/"), Some(DropReason::ExcludedHost));
        assert_eq!(rules.page("shop.example", "/admin/x"), Some(DropReason::ExcludedPath));
        assert_eq!(rules.page("shop.example", "/shoes"), None);
        assert_eq!(rules.page("", ""), None);
        assert!(rules.referrer("spam.example") && rules.referrer("www.spam.example"));
        assert!(!rules.referrer("notspam.example") && !rules.referrer(""));
    }
}
