//! Page views: the first load, and every address the page gives itself after that.

use alloc::string::String;

use crate::lines::Lines;

/// How long an address must stand before its view is taken: single-page routers set the title
/// after the address, and often replace the address once more.
pub const SETTLE_MILLIS: u64 = 100;

/// Which page is viewed now, and whether another is about to be. A page is lines, as
/// [`Scene::page`](crate::browser::Scene::page) gives them.
#[derive(Debug, Default)]
pub struct Views {
    /// The address; empty where no page has been viewed.
    viewed: String,
    referrer: String,
    due: Option<u64>,
}

impl Views {
    /// No page has been viewed.
    #[must_use]
    pub const fn new() -> Self {
        Self { viewed: String::new(), referrer: String::new(), due: None }
    }

    /// The page changed its address. Whatever it had before for less than [`SETTLE_MILLIS`] was no view.
    pub fn navigated(&mut self, now: u64) {
        self.due = Some(now + SETTLE_MILLIS);
    }

    /// Whether the address that the page has given itself is a view: it has stood long enough (or
    /// counts `at_once`), and is another than the one viewed already.
    pub fn settles(&mut self, now: u64, page: &str, at_once: bool) -> bool {
        if !self.due.is_some_and(|due| at_once || due <= now) {
            return false;
        }
        self.due = None;
        Lines(page).next() != self.viewed
    }

    /// When [`settles`](Self::settles) has something to say.
    #[must_use]
    pub fn due(&self) -> Option<u64> {
        self.due
    }

    /// The page is viewed now, whatever was before.
    pub fn view(&mut self, page: &str) {
        let mut page = Lines(page);
        let url = page.next();
        if self.viewed.is_empty() {
            let [_, _, referrer] = [page.next(), page.next(), page.next()];
            self.referrer = referrer.into();
        } else if self.viewed != url {
            self.referrer = core::mem::take(&mut self.viewed);
        }
        self.viewed = url.into();
        self.due = None;
    }

    /// The address of the page viewed now.
    #[must_use]
    pub fn viewed(&self) -> &str {
        &self.viewed
    }

    /// The referrer of the page viewed now: the browser's for the first, the address before for
    /// the others.
    #[must_use]
    pub fn referrer(&self) -> &str {
        &self.referrer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = "https://shop.example/\n\nTitle\nhttps://search.example/";
    const MUG: &str = "https://shop.example/mug\n\nTitle\nhttps://search.example/";
    const TEA: &str = "https://shop.example/tea\n\nTitle\nhttps://search.example/";

    fn at_home() -> Views {
        let mut views = Views::new();
        views.view(HOME);
        views
    }

    #[test]
    fn the_first_view_has_the_browsers_referrer_and_the_next_the_address_before() {
        let mut views = at_home();
        assert_eq!(views.referrer(), "https://search.example/");
        views.view(MUG);
        assert_eq!(
            (views.viewed(), views.referrer()),
            ("https://shop.example/mug", "https://shop.example/")
        );
        views.view(MUG);
        assert_eq!(
            views.referrer(),
            "https://shop.example/",
            "seen again from where it was reached"
        );
    }

    #[test]
    fn an_address_is_viewed_when_it_has_stood() {
        let mut views = at_home();
        assert!(!views.settles(0, MUG, true), "nobody navigated");
        views.navigated(1000);
        assert_eq!(views.due(), Some(1100));
        assert!(!views.settles(1099, MUG, false));
        assert!(views.settles(1100, MUG, false));
        assert_eq!(views.due(), None);
    }

    #[test]
    fn an_address_that_is_replaced_soon_is_none() {
        let mut views = at_home();
        views.navigated(1000);
        views.navigated(1050);
        assert!(!views.settles(1100, TEA, false));
        assert!(views.settles(1150, TEA, false));
        views.view(TEA);
        assert_eq!(views.referrer(), "https://shop.example/");
    }

    #[test]
    fn an_address_settles_at_once_where_the_visitor_leaves() {
        let mut views = at_home();
        views.navigated(1000);
        assert!(views.settles(1001, MUG, true));
    }

    #[test]
    fn the_address_already_viewed_is_no_view() {
        let mut views = at_home();
        views.navigated(1000);
        assert!(!views.settles(1100, HOME, false));
        assert_eq!(views.due(), None);
    }
}
