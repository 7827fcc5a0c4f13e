//! Who this browser is to the site.

use crate::browser::Browser;
use crate::id;

const VISITOR: &str = "visitor";
const USER: &str = "user";

/// The visitor's id; made on the first event, kept until consent is taken back.
pub(crate) fn visitor(browser: &mut dyn Browser) -> String {
    if let Some(known) = browser.get(VISITOR).filter(|known| id::is_id(known)) {
        return known;
    }
    let new = id::new(browser);
    browser.set(VISITOR, &new);
    new
}

/// The person's known id, once `identify` has told it.
pub(crate) fn user(browser: &dyn Browser) -> Option<String> {
    browser.get(USER)
}

/// Keeps the person's known id for the events to come.
pub(crate) fn identify(user: &str, browser: &mut dyn Browser) {
    browser.set(USER, user);
}

/// Forgets both.
pub(crate) fn forget(browser: &mut dyn Browser) {
    browser.remove(VISITOR);
    browser.remove(USER);
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
