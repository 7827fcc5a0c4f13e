//! The text of a JSON body, put right before it is read.

use bytes::{Buf, Bytes};
use memchr::memchr;

/// `\ufffd`, which stands for a character that cannot be told.
const UNKNOWN: &[u8; ESCAPE_BYTES] = br"\ufffd";
/// `\u` and four digits.
const ESCAPE_BYTES: usize = 6;

/// U+FEFF in UTF-8: editors, and .NET's writers, put it before a text to mark how that is encoded.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The text behind the mark of its encoding, which is no part of JSON; a reader may pass over it ([RFC 8259,
/// 8.1]).
///
/// [RFC 8259, 8.1]: https://www.rfc-editor.org/rfc/rfc8259#section-8.1
pub(crate) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(MARK).unwrap_or(text)
}

/// The body without a mark before it, and with each half of a character as the unknown character.
///
/// A script that cuts a text may cut an emoji in two, and `JSON.stringify` writes the half that is left by
/// its number, `\ud83d`. JSON's grammar has that ([RFC 8259, 8.2]), but it is no character: our parser
/// would refuse all of the body for it. A body without one is not touched, and costs one look for `\`.
///
/// [RFC 8259, 8.2]: https://www.rfc-editor.org/rfc/rfc8259#section-8.2
pub(super) fn mended(mut body: Bytes) -> Bytes {
    body.advance(body.len() - without_mark(&body).len());
    let Some(half) = half_from(&body, 0) else { return body };
    let mut text = Vec::from(body);
    mend_from(&mut text, half);
    text.into()
}

/// The same of the halves, in place; the text stays as long as it was.
pub(crate) fn mend(text: &mut [u8]) {
    if let Some(half) = half_from(text, 0) {
        mend_from(text, half);
    }
}

fn mend_from(text: &mut [u8], mut half: usize) {
    while let Some(escape) = text.get_mut(half..half + ESCAPE_BYTES) {
        escape.copy_from_slice(UNKNOWN);
        let Some(next) = half_from(text, half + ESCAPE_BYTES) else { break };
        half = next;
    }
}

/// Where the next surrogate stands that has no other half beside it. Outside of texts JSON has no `\`.
fn half_from(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr(b'\\', text.get(at..)?)?;
        at += match code_unit(text, at) {
            Some(0xd800..=0xdbff) => match code_unit(text, at + ESCAPE_BYTES) {
                Some(0xdc00..=0xdfff) => 2 * ESCAPE_BYTES,
                _ => return Some(at),
            },
            Some(0xdc00..=0xdfff) => return Some(at),
            Some(_) => ESCAPE_BYTES,
            // Two bytes, such as `\\`: what follows is plain.
            None => 2,
        };
    }
}

/// What the escape that begins here stands for in UTF-16; none where it is another than `\uXXXX`.
fn code_unit(text: &[u8], at: usize) -> Option<u32> {
    let digits = text.get(at..at + ESCAPE_BYTES)?.strip_prefix(br"\u")?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;
    use serde_json::value::RawValue;

    use super::*;

    fn of(text: &str) -> String {
        String::from_utf8(mended(Bytes::copy_from_slice(text.as_bytes())).to_vec()).unwrap()
    }

    #[test]
    fn half_a_character_is_the_unknown_one() {
        for (sent, read) in [
            (r#""Caf\ud83d""#, r#""Caf\ufffd""#),
            (r#""\uDE00b""#, r#""\ufffdb""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\ude00\ud83d""#, r#""\ufffd\ufffd""#),
            (r#""\ud83dx\ude00""#, r#""\ufffdx\ufffd""#),
            (r#""\ud83d\n\ude00""#, r#""\ufffd\n\ufffd""#),
            (r#""\\\ud83d""#, r#""\\\ufffd""#),
            (r#""\ud83d\u0041""#, r#""\ufffd\u0041""#),
            (r#"{"\udbff":["\udc00"]}"#, r#"{"\ufffd":["\ufffd"]}"#),
        ] {
            assert_eq!(of(sent), read, "{sent}");
        }
    }

    #[test]
    fn whole_characters_and_what_is_no_escape_stay() {
        for text in [
            "",
            r#""\ud83d\ude00 \uDBFF\uDFFF""#,
            r#""\\ud83d""#,
            r#""\\\\ude00""#,
            r#""ud83d \u0161 \ud7ff \ue000""#,
            r#""\u""#,
            r#""\ud8"#,
            r"\",
            r#""\ud83g""#,
        ] {
            assert_eq!(of(text), text);
        }
    }

    #[test]
    fn a_mark_before_the_text_is_no_part_of_it() {
        assert_eq!(of("\u{feff}{}"), "{}");
        assert_eq!(of("\u{feff}\"\\ud83d\u{feff}\""), "\"\\ufffd\u{feff}\"");
        assert_eq!(of("\u{feff}\u{feff}"), "\u{feff}", "only one");
    }

    #[test]
    fn a_body_without_halves_is_not_copied() {
        let body = Bytes::from_static(br#"{"title":"a\n\ud83d\ude00"}"#);
        assert_eq!(mended(body.clone()).as_ptr(), body.as_ptr());
    }

    proptest! {
        /// Whatever JSON is sent, it can be read afterwards; and what could be read before is the same.
        #[test]
        fn all_json_can_be_read(pieces in proptest::collection::vec(
            prop::sample::select(vec![
                r"\ud83d", r"\ude00", r"\uD83D", r"\udFFF", r"\\", r"\n", r"\u0041", r#"\""#, "ud83d", "d", "ž",
            ]),
            0..12,
        )) {
            let sent = format!("\"{}\"", pieces.concat());
            prop_assert!(serde_json::from_str::<&RawValue>(&sent).is_ok());
            let read = of(&sent);
            prop_assert!(serde_json::from_str::<Value>(&read).is_ok(), "{}", read);
            prop_assert_eq!(of(&read), read.clone());
            if serde_json::from_str::<Value>(&sent).is_ok() {
                prop_assert_eq!(read, sent);
            }
        }
    }
}
