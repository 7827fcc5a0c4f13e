//! Countries by name. The events have ISO 3166-1 codes.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Code, tab, English name (Unicode CLDR), one country a line.
static NAMES: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    include_str!("../../assets/countries.tsv")
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .collect()
});

/// The country's name; the code itself where it is none we know.
pub(super) fn name(code: &str) -> &str {
    match code {
        "" => "Unknown",
        code => NAMES.get(code).copied().unwrap_or(code),
    }
}

/// The country's flag: its code in regional indicator letters. Empty where it is no country.
pub(super) fn flag(code: &str) -> String {
    const REGIONAL_A: u32 = 0x1F1E6;
    if !NAMES.contains_key(code) {
        return String::new();
    }
    let letters = code.bytes().map(|letter| u32::from(letter.saturating_sub(b'A')));
    letters.filter_map(|letter| char::from_u32(REGIONAL_A + letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_countries_and_lets_others_be() {
        assert_eq!((name("HR"), flag("HR").as_str()), ("Croatia", "🇭🇷"));
        assert_eq!((name(""), flag("").as_str()), ("Unknown", ""));
        assert_eq!((name("<script>"), flag("<script>").as_str()), ("<script>", ""));
        assert!(NAMES.len() > 240);
        assert!(NAMES.keys().all(|code| code.len() == 2));
    }
}
