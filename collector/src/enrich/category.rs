//! What a page is about, as the page says it.

use std::borrow::Cow;

use wire::Text;
use wire::limits::{CATEGORIES_MAX, NAME_BYTES_MAX};

use crate::validate::cut;

/// The levels as they are stored: most general first, each once, none empty.
pub(super) fn levels<'a>(sent: &'a [Text<'a>]) -> Vec<Cow<'a, str>> {
    let mut levels = Vec::with_capacity(sent.len().min(CATEGORIES_MAX));
    for level in sent.iter().map(|level| cut(level.trim(), NAME_BYTES_MAX)) {
        if levels.len() < CATEGORIES_MAX
            && !level.is_empty()
            && !levels.iter().any(|known| known == level)
        {
            levels.push(Cow::Borrowed(level));
        }
    }
    levels
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
}
