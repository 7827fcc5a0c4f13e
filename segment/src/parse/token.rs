//! Letters into words, texts and signs.

use alloc::string::String;

/// One piece of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// Letters, digits, `_`, `/`, `.`, `-`: a keyword, a name, a field or a number.
    Word(&'a str),
    /// In quotes; what it stands for.
    Text(String),
    /// `=`, `!=`, `<`, `<=`, `>`, `>=`, `(`, `)` or `,`.
    Sign(&'static str),
    /// A quoted text without its end, or a backslash before something that needs none.
    BrokenText,
    /// Anything else.
    Stray(char),
    /// After the last.
    End,
}

/// Two-letter signs before their first letters.
const SIGNS: [&str; 9] = ["!=", "<=", ">=", "=", "<", ">", "(", ")", ","];

pub(crate) fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'/' | b'.' | b'-')
}

/// The first token of `rest`, and its bytes.
pub(crate) fn read(rest: &str) -> (Token<'_>, usize) {
    let Some(first) = rest.chars().next() else {
        return (Token::End, 0);
    };
    if first == '"' {
        return read_text(rest);
    }
    let word_bytes = rest.bytes().take_while(|byte| is_word_byte(*byte)).count();
    if let Some(word) = rest.get(..word_bytes).filter(|word| !word.is_empty()) {
        return (Token::Word(word), word_bytes);
    }
    match SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
        Some(sign) => (Token::Sign(sign), sign.len()),
        None => (Token::Stray(first), first.len_utf8()),
    }
}

fn read_text(rest: &str) -> (Token<'_>, usize) {
    let mut text = String::new();
    let mut letters = rest.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (Token::Text(text), at + 1),
            '\\' => match letters.next() {
                Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                _ => return (Token::BrokenText, at),
            },
            _ => text.push(letter),
        }
    }
    (Token::BrokenText, rest.len())
}
