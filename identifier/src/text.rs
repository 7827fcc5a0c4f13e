//! What is done to every text before a platform's own rule: the same letters in the same bytes.

use unicode_normalization::UnicodeNormalization;

use crate::ParseError;

/// Characters that take no room on a page and come along when text is pasted: soft hyphen,
/// zero-width space and joiners, direction marks, byte order mark. Two texts that look the same
/// must not differ by them.
const INVISIBLE: [char; 8] =
    ['\u{ad}', '\u{200b}', '\u{200e}', '\u{200f}', '\u{2060}', '\u{202a}', '\u{202c}', '\u{feff}'];

/// Composes letters and their marks (NFC: a decomposed "Š" hashes differently), takes invisible
/// characters out, trims, and makes every run of inner white space one space.
///
/// # Errors
///
/// [`ParseError::Empty`] where nothing remains, [`ParseError::TooLong`] beyond `bytes_max`.
pub(crate) fn canonical(raw: &str, bytes_max: usize) -> Result<String, ParseError> {
    // A raw text several times too long is not worth composing.
    if raw.len() > bytes_max.saturating_mul(4) {
        return Err(ParseError::TooLong { bytes_max });
    }
    let visible =
        raw.chars().filter(|letter| !INVISIBLE.contains(letter)).nfc().collect::<String>();
    let text = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return Err(ParseError::Empty);
    }
    if text.len() > bytes_max {
        return Err(ParseError::TooLong { bytes_max });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composes_trims_and_collapses() {
        assert_eq!(canonical(" S\u{30c}ime \t Horvat\u{a0}", 64).as_deref(), Ok("Šime Horvat"));
        assert_eq!(canonical("\u{feff}ana\u{200b}", 64).as_deref(), Ok("ana"));
    }

    #[test]
    fn refuses_nothing_and_too_much() {
        assert_eq!(canonical(" \t\u{200b}", 64), Err(ParseError::Empty));
        assert_eq!(canonical("abcde", 4), Err(ParseError::TooLong { bytes_max: 4 }));
        assert_eq!(canonical(&"a".repeat(1_000_000), 4), Err(ParseError::TooLong { bytes_max: 4 }));
    }
}
