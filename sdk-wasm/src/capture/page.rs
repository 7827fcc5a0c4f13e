//! Page views: the first load, and every address the page gives itself after that.

use alloc::string::String;

use crate::cut::cut;

/// How long an address must stand before its view is taken: single-page routers set the title
/// after the address, and often replace the address once more.
pub const SETTLE_MILLIS: u64 = 100;

/// A page as it stood at one moment: its address, category (without spaces and empty levels), referrer
/// and title, a line each. None of them has line breaks, and one text is a quarter of the code that
/// four are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page(String);

impl Page {
    /// A page from its four lines.
    #[must_use]
    pub fn new(lines: String) -> Self {
        Self(lines)
    }

    /// The whole address.
    #[must_use]
    pub fn url(&self) -> &str {
        self.line(0)
    }

    /// The path in `<meta name="footfall:category">`, or empty.
    #[must_use]
    pub fn category(&self) -> &str {
        self.line(1)
    }

    /// Where the browser says the page was reached from; empty where it does not say.
    #[must_use]
    pub fn referrer(&self) -> &str {
        self.line(2)
    }

    /// The title.
    #[must_use]
    pub fn title(&self) -> &str {
        self.line(3)
    }

    fn line(&self, number: usize) -> &str {
        let mut rest = self.0.as_str();
        for _ in 0..number {
            rest = cut(rest, b'\n').1;
        }
        cut(rest, b'\n').0
    }
}

/// A view to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// When the page was reached.
    pub at: u64,
    /// The page.
    pub page: Page,
}

/// Which page is viewed now, and which one is not settled yet.
#[derive(Debug, Default)]
pub struct Views {
    /// The address; empty where no page has been viewed.
    viewed: String,
    referrer: String,
    unsettled: Option<View>,
}

impl Views {
    /// No page has been viewed.
    #[must_use]
    pub const fn new() -> Self {
        Self { viewed: String::new(), referrer: String::new(), unsettled: None }
    }

    /// The page is viewed now, whatever was before.
    pub fn view(&mut self, now: u64, page: Page) -> View {
        self.unsettled = None;
        self.seen(now, page)
    }

    /// The page changed its address. Gives the view of the address before, where that one had not
    /// settled and was not merely replaced.
    pub fn navigated(&mut self, now: u64, page: Page, replaced: bool) -> Option<View> {
        let earlier = self.unsettled.take();
        let (at, left) = match earlier {
            Some(view) if replaced => (view.at, None),
            earlier => (now, earlier),
        };
        let left = left.and_then(|view| self.seen_if_new(view.at, view.page));
        self.unsettled = Some(View { at, page });
        left
    }

    /// Gives the unsettled page's view once it has stood long enough (or `at_once`), unless it is
    /// the page already viewed. `page` is the page now, with the title it has got meanwhile.
    pub fn settle(&mut self, now: u64, page: Page, at_once: bool) -> Option<View> {
        let due = self.due()?;
        if now < due && !at_once {
            return None;
        }
        let unsettled = self.unsettled.take()?;
        self.seen_if_new(unsettled.at, page)
    }

    /// When [`settle`](Self::settle) has something to give.
    #[must_use]
    pub fn due(&self) -> Option<u64> {
        self.unsettled.as_ref().map(|view| view.at + SETTLE_MILLIS)
    }

    /// Whether any page has been viewed.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.viewed.is_empty()
    }

    /// Forgets what was viewed: the next settled page is new.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// The referrer of the page viewed now: the browser's for the first, the address before for
    /// the others.
    #[must_use]
    pub fn referrer(&self) -> &str {
        &self.referrer
    }

    fn seen_if_new(&mut self, at: u64, page: Page) -> Option<View> {
        if address(&self.viewed) == address(page.url()) {
            return None;
        }
        Some(self.seen(at, page))
    }

    fn seen(&mut self, at: u64, page: Page) -> View {
        if self.viewed.is_empty() {
            self.referrer = page.referrer().into();
        } else if address(&self.viewed) != address(page.url()) {
            self.referrer = core::mem::take(&mut self.viewed);
        }
        self.viewed = page.url().into();
        View { at, page }
    }
}

/// The address that makes a page another page: without the fragment, unless the fragment is a
/// route (`#/cart`, `#!/cart`).
fn address(url: &str) -> &str {
    let (address, fragment) = cut(url, b'#');
    if matches!(fragment.bytes().next(), Some(b'/' | b'!')) { url } else { address }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn page(url: &str) -> Page {
        Page(url.into())
    }

    fn urls(views: impl IntoIterator<Item = View>) -> Vec<String> {
        views.into_iter().map(|view| view.page.url().into()).collect()
    }

    #[test]
    fn the_same_address_is_not_viewed_twice() {
        let mut views = Views::default();
        views.view(0, page("https://shop.example/a"));
        assert_eq!(views.navigated(10, page("https://shop.example/a#reviews"), false), None);
        assert_eq!(views.settle(500, page("https://shop.example/a#reviews"), false), None);
        assert_eq!(views.due(), None);
    }

    #[test]
    fn a_route_in_the_fragment_is_another_page() {
        let mut views = Views::default();
        views.view(0, page("https://shop.example/#/a"));
        views.navigated(10, page("https://shop.example/#/b"), false);
        let view = views.settle(500, page("https://shop.example/#/b"), false);
        assert_eq!(urls(view), ["https://shop.example/#/b"]);
    }

    #[test]
    fn a_redirect_before_the_page_settled_is_one_view_from_when_it_began() {
        let mut views = Views::default();
        views.view(0, page("/"));
        assert_eq!(views.navigated(1000, page("/checkout"), false), None);
        assert_eq!(views.navigated(1050, page("/checkout/details"), true), None);
        let view = views.settle(1100, page("/checkout/details"), false);
        assert_eq!(view.as_ref().map(|view| view.at), Some(1000));
        assert_eq!(views.referrer(), "/");
    }

    #[test]
    fn two_quick_navigations_are_two_views() {
        let mut views = Views::default();
        views.view(0, page("/"));
        views.navigated(1000, page("/a"), false);
        let first = views.navigated(1010, page("/b"), false);
        let second = views.settle(1110, page("/b"), false);
        assert_eq!(urls(first.into_iter().chain(second)), ["/a", "/b"]);
    }

    #[test]
    fn the_title_is_read_when_the_page_has_settled() {
        let mut views = Views::default();
        views.view(0, page("/"));
        views.navigated(1000, page("/a\n\n\nHome"), false);
        assert_eq!(views.settle(1099, page("/a"), false), None);
        let view = views.settle(1100, page("/a\n\n\nMugs"), false);
        assert_eq!(view.as_ref().map(|view| view.page.title()), Some("Mugs"));
    }
}
