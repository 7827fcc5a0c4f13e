//! Who this browser is to the site.

use alloc::string::String;

use crate::browser::Browser;
use crate::id;

const VISITOR: &str = "visitor";
const USER: &str = "user";

/// The visitor's id; made on the first event, kept until the visitor does not want to be measured.
pub(crate) fn visitor(browser: &mut impl Browser) -> String {
    let known = browser.get(VISITOR);
    if id::is_id(&known) {
        return known;
    }
    let new = browser.id();
    browser.set(VISITOR, &new);
    new
}

/// The person's known id, empty until `identify` has told it.
pub(crate) fn user(browser: &impl Browser) -> String {
    browser.get(USER)
}

/// Keeps the person's known id for the events to come.
pub(crate) fn identify(user: &str, browser: &mut impl Browser) {
    browser.set(USER, user);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::browser::Storage as _;
    use crate::browser::fake::FakeBrowser;

    #[test]
    fn a_visitor_keeps_the_id() {
        let mut browser = FakeBrowser::at("https://shop.example/");
        let first = visitor(&mut browser);
        browser.now += 86_400_000;
        assert_eq!(visitor(&mut browser), first);
    }

    #[test]
    fn a_damaged_id_is_made_anew() {
        let mut browser = FakeBrowser::at("https://shop.example/");
        browser.set(VISITOR, "<script>");
        assert!(id::is_id(&visitor(&mut browser)));
    }
}
