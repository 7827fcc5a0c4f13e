//! What the page before says of where the visit came from.

use std::borrow::Cow;

use super::channel;
use super::event::Traffic;
use super::site_hosts::{SiteHosts, bare};
use super::source::{self, Class};

/// The traffic that a referrer's host stands for; without a referrer the visit is a direct one. A page of
/// the same site, under whichever of its hosts, is no source: the visit came from elsewhere, and its first
/// event says from where, so all of it stays empty.
pub(super) fn traffic<'a>(host: Cow<'a, str>, page_host: &str, site: &SiteHosts) -> Traffic<'a> {
    if host.is_empty() {
        // A server's event without a page has no visit to speak of.
        return if page_host.is_empty() {
            Traffic::default()
        } else {
            of("(direct)".into(), "(none)")
        };
    }
    if !is_elsewhere(&host, page_host, site) {
        return Traffic::default();
    }
    match source::at(&host) {
        Some((source, Class::Search)) => of(source.into(), "organic"),
        Some((source, Class::Email)) => of(source.into(), "email"),
        Some((source, Class::Social)) => of(source.into(), "social"),
        Some((source, Class::Video | Class::Shopping | Class::Assistant)) => {
            of(source.into(), "referral")
        }
        None => of(without_www(host), "referral"),
    }
}

/// Whether a visit came from a page that is not the site's.
pub(super) fn is_elsewhere(host: &str, page_host: &str, site: &SiteHosts) -> bool {
    !host.is_empty() && bare(host) != bare(page_host) && !site.is_own(host)
}

/// The address up to its query: what comes after may hold anything.
pub(crate) fn without_query(referrer: &str) -> &str {
    let end = referrer.bytes().position(|byte| matches!(byte, b'?' | b'#'));
    end.and_then(|end| referrer.get(..end)).unwrap_or(referrer)
}

fn of<'a>(source: Cow<'a, str>, medium: &'static str) -> Traffic<'a> {
    Traffic {
        channel: channel::of(&source, medium, "").into(),
        source,
        medium: medium.into(),
        ..Traffic::default()
    }
}

fn without_www(host: Cow<'_, str>) -> Cow<'_, str> {
    match host {
        Cow::Borrowed(host) => Cow::Borrowed(bare(host)),
        Cow::Owned(host) => Cow::Owned(bare(&host).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::page;
    use super::*;

    fn told(referrer: &str) -> (String, String, String) {
        let found = traffic(page::host(referrer), "shop.example", &SiteHosts::default());
        (found.source.into_owned(), found.medium.into_owned(), found.channel.into_owned())
    }

    #[test]
    fn each_sort_of_referrer() {
        let cases = [
            ("", ("(direct)", "(none)", "Direct")),
            ("https://www.google.com/", ("google", "organic", "Organic Search")),
            ("https://l.facebook.com/l.php?u=x", ("facebook", "social", "Organic Social")),
            ("https://www.youtube.com/watch?v=1", ("youtube", "referral", "Organic Video")),
            ("https://out.reddit.com/x", ("reddit", "social", "Organic Social")),
            ("android-app://com.google.android.gm/", ("gmail", "email", "Email")),
            ("https://mail.google.com/mail/u/0", ("gmail", "email", "Email")),
            ("https://chatgpt.com/", ("chatgpt", "referral", "AI Assistant")),
            ("https://WWW.Blog.example/post", ("blog.example", "referral", "Referral")),
            ("https://www.shop.example/cart", ("", "", "")),
        ];
        for (referrer, (source, medium, channel)) in cases {
            assert_eq!(
                told(referrer),
                (source.into(), medium.into(), channel.into()),
                "{referrer}"
            );
        }
    }

    #[test]
    fn an_event_without_a_page_has_no_source() {
        assert_eq!(traffic("".into(), "", &SiteHosts::default()), Traffic::default());
    }

    #[test]
    fn keeps_no_query() {
        assert_eq!(without_query("https://a.example/x?email=me#y"), "https://a.example/x");
    }
}
