//! What the page before says of where the visit came from.

use std::borrow::Cow;

use super::channel;
use super::event::Traffic;
use super::source::{self, Class};

/// The traffic that a referrer's host stands for; it is empty where there is no referrer. A page of the same site is no source: the visit came from
/// elsewhere, and its first event says from where, so all of it stays empty.
pub(super) fn traffic<'a>(host: Cow<'a, str>, page_host: &str) -> Traffic<'a> {
    if host.is_empty() {
        // A server's event without a page has no visit to speak of.
        return if page_host.is_empty() {
            Traffic::default()
        } else {
            of("(direct)".into(), "(none)")
        };
    }
    if bare(&host) == bare(page_host) {
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

fn bare(host: &str) -> &str {
    host.strip_prefix("www.").unwrap_or(host)
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
        let found = traffic(page::host(referrer), "shop.example");
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
        assert_eq!(traffic("".into(), ""), Traffic::default());
    }

    #[test]
    fn keeps_no_query() {
        assert_eq!(without_query("https://a.example/x?email=me#y"), "https://a.example/x");
    }
}
