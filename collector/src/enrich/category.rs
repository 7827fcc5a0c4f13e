//! What a page is about, as the page says it, or else as the site's rules do.

use std::borrow::Cow;

use store::site::CategoryRule;
use wire::Text;
use wire::limits::{CATEGORIES_MAX, NAME_BYTES_MAX};

use super::scrub::cut_clean;
use crate::validate::cut;

/// The levels as they are stored: most general first, each once, none empty.
pub(super) fn levels<'a>(sent: &'a [Text<'a>]) -> Vec<Cow<'a, str>> {
    let mut levels = Vec::with_capacity(sent.len().min(CATEGORIES_MAX));
    for level in sent.iter().map(|level| cut_clean(level.trim(), NAME_BYTES_MAX)) {
        if levels.len() < CATEGORIES_MAX
            && !level.is_empty()
            && !levels.iter().any(|known| known == level)
        {
            levels.push(Cow::Borrowed(level));
        }
    }
    levels
}

/// The levels that the first rule whose path fits gives.
pub(super) fn by_rule<'a>(rules: &'a [CategoryRule], path: &str) -> Vec<Cow<'a, str>> {
    let levels = rules.iter().find_map(|rule| rule.levels_of(path)).unwrap_or_default();
    levels.iter().map(|level| cut(level, NAME_BYTES_MAX).into()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_leaves_out_the_empty_the_double_and_the_too_many() {
        let sent = [" Shoes", "", "Shoes/Running", "Shoes"].map(Text::from);
        assert_eq!(levels(&sent), ["Shoes", "Shoes/Running"]);
        let many: Vec<_> = (0..20).map(|n| Text::from(n.to_string())).collect();
        assert_eq!(levels(&many).len(), CATEGORIES_MAX);
    }

    #[test]
    fn the_first_rule_that_fits_holds() {
        let rules = ["/coffee/*=Drinks/Coffee", "/*=Shop"].map(|rule| rule.parse().unwrap());
        assert_eq!(by_rule(&rules, "/coffee/beans"), ["Drinks", "Drinks/Coffee"]);
        assert_eq!(by_rule(&rules, "/tea"), ["Shop"]);
        assert!(by_rule(&rules, "").is_empty());
        assert!(by_rule(&[], "/coffee/beans").is_empty());
    }
}
