//! Persons' data that a page put where it does not belong: e-mail addresses and card numbers in
//! addresses, titles and properties, in their names too.
//!
//! What looks like one is replaced, and better once too often than once too seldom. One pass over the
//! bytes; nothing is allocated where nothing is found, which is nearly always.

use std::borrow::Cow;
use std::ops::Range;

use store::EventRow;

use crate::validate::cut;

pub(super) const EMAIL: &str = "[email]";
pub(super) const CARD: &str = "[card]";
/// Digits of a card's number, ISO/IEC 7812-1; no scheme's are shorter than 13.
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

/// How much was replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scrubbed {
    pub(crate) emails: u32,
    pub(crate) cards: u32,
}

impl Scrubbed {
    /// Scrubs every text of a row that is the page's or the visitor's. What identifies (`user_id`) and
    /// what is only compared (`name`, `funnel`, `step`) stays as it is.
    pub(crate) fn row<T: AsRef<str> + From<String>>(&mut self, row: &mut EventRow<T>) {
        let texts = [
            &mut row.path,
            &mut row.query,
            &mut row.title,
            &mut row.referrer,
            &mut row.source,
            &mut row.medium,
            &mut row.campaign,
            &mut row.term,
            &mut row.content,
        ];
        let properties = row.properties.iter_mut().flat_map(|(name, value)| [name, value]);
        for text in texts.into_iter().chain(&mut row.categories).chain(properties) {
            if let Cow::Owned(scrubbed) = self.text(text.as_ref()) {
                *text = scrubbed.into();
            }
        }
    }

    /// The text without what looks like an e-mail address or a card's number.
    pub(crate) fn text<'a>(&mut self, text: &'a str) -> Cow<'a, str> {
        let bytes = text.as_bytes();
        if !may_have_any(bytes) {
            return Cow::Borrowed(text);
        }
        let mut clean = String::new();
        let mut kept = 0;
        while let Some((range, put)) = next(bytes, kept) {
            match put {
                EMAIL => self.emails += 1,
                _ => self.cards += 1,
            }
            // Ranges begin and end beside ASCII or at the text's ends, so between characters.
            clean.push_str(text.get(kept..range.start).unwrap_or_default());
            clean.push_str(put);
            kept = range.end;
        }
        if kept == 0 {
            return Cow::Borrowed(text);
        }
        clean.push_str(text.get(kept..).unwrap_or_default());
        Cow::Owned(clean)
    }
}

/// The text up to so many bytes, never in the middle of a character, and without the beginning of an
/// e-mail address or a card's number that goes on behind them: what a cut leaves of one is none any more,
/// and still tells whose it was.
pub(crate) fn cut_clean(text: &str, bytes_max: usize) -> &str {
    if text.len() <= bytes_max {
        return text;
    }
    cut(text, begins_before(text, bytes_max).unwrap_or(bytes_max))
}

/// The same of a text that may be held already.
pub(crate) fn cut_clean_cow(text: Cow<'_, str>, bytes_max: usize) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(cut_clean(text, bytes_max)),
        Cow::Owned(mut text) => {
            text.truncate(cut_clean(&text, bytes_max).len());
            Cow::Owned(text)
        }
    }
}

/// Where an address or a number begins that has this place in it.
fn begins_before(text: &str, place: usize) -> Option<usize> {
    // Longer than any; a text may be as long as a body, so no more of it is looked at.
    const AROUND_BYTES: usize = 512;
    let from = text.floor_char_boundary(place.saturating_sub(AROUND_BYTES));
    let to = text.floor_char_boundary(place.saturating_add(AROUND_BYTES));
    let around = text.get(from..to)?.as_bytes();
    let mut before = 0;
    while let Some((range, _)) = next(around, before) {
        if (range.start + 1..range.end).contains(&(place - from)) {
            return Some(from + range.start);
        }
        before = range.end;
    }
    None
}

/// The next address or number that begins there or later, and what is put in its place.
fn next(bytes: &[u8], from: usize) -> Option<(Range<usize>, &'static str)> {
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        let found = match byte {
            b'@' => email(bytes, from, at, at + 1).map(|range| (range, EMAIL)),
            b'%' => encoded_at(bytes, at)
                .and_then(|after| email(bytes, from, at, after))
                .map(|range| (range, EMAIL)),
            b'2'..=b'6' if at == 0 || !bytes.get(at - 1).is_some_and(is_word) => {
                card(bytes, at).map(|range| (range, CARD))
            }
            _ => None,
        };
        if found.is_some() {
            return found;
        }
        at += 1;
    }
    None
}

/// Whether there could be an address or a number at all. Nearly every text ends here, looked at many
/// bytes at a time.
fn may_have_any(bytes: &[u8]) -> bool {
    // `a@b.cc`; many texts are empty.
    if bytes.len() < 6 {
        return false;
    }
    // No more than a count of one byte can hold.
    const CHUNK: usize = u8::MAX as usize;
    let mut digits = 0;
    for chunk in bytes.chunks(CHUNK) {
        let (mut signs, mut count) = (0, 0);
        for byte in chunk {
            signs |= u8::from(matches!(byte, b'@' | b'%'));
            count += u8::from(byte.is_ascii_digit());
        }
        if signs > 0 {
            return true;
        }
        digits += usize::from(count);
    }
    digits >= *CARD_DIGITS.start()
}

/// Where `%40`, or that encoded once or more again (`%2540`), ends.
fn encoded_at(bytes: &[u8], percent: usize) -> Option<usize> {
    let mut at = percent + 1;
    while bytes.get(at..at + 2) == Some(b"25") {
        at += 2;
    }
    (bytes.get(at..at + 2) == Some(b"40")).then_some(at + 2)
}

/// What is on both sides of an at sign that stands at `sign.. after`, if that is an e-mail address.
///
/// The domain first: it ends before the next sign, and a name goes back over all signs before it that made no
/// address. So it is walked only where there is one, and what it walks over is then taken: no byte is looked at
/// again and again, however many signs a text has.
fn email(bytes: &[u8], from: usize, sign: usize, after: usize) -> Option<Range<usize>> {
    let domain = bytes.get(after..)?;
    let length = domain.iter().take_while(|byte| is_domain(byte)).count();
    let domain = domain.get(..length)?;
    let mut labels = domain.split(|byte| *byte == b'.');
    let first = labels.next()?;
    // A top-level domain has two letters or more; `vue@3.2.1` has none.
    let is_top = |label: &[u8]| matches!(label, [first, second, ..] if is_letter(*first) && is_letter(*second));
    if first.is_empty() || !labels.any(is_top) {
        return None;
    }
    let before = bytes.get(from..sign)?.iter().rev().take_while(|byte| is_local(byte)).count();
    (before > 0).then_some(sign - before..after + length)
}

/// A card's number that begins here: digits, single or in groups, whose check digit is right.
fn card(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let mut digits = [0_u8; 20];
    let (mut count, mut at) = (0, start);
    loop {
        while let Some(digit) = bytes.get(at).filter(|byte| byte.is_ascii_digit()) {
            *digits.get_mut(count)? = digit - b'0';
            count += 1;
            at += 1;
        }
        let ends = !bytes.get(at).is_some_and(is_word);
        if ends && CARD_DIGITS.contains(&count) && check_digit_is_right(digits.get(..count)?) {
            return Some(start..at);
        }
        let gap = match bytes.get(at..)? {
            [b' ' | b'-' | b'+' | b'.', next, ..] if next.is_ascii_digit() => 1,
            [b'%', b'2', b'0' | b'D' | b'd', next, ..] if next.is_ascii_digit() => 3,
            _ => return None,
        };
        at += gap;
    }
}

/// Luhn's sum, ISO/IEC 7812-1 annex B. A row of one digit passes it often and is no card's.
fn check_digit_is_right(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match u32::from(*digit) * (1 + place as u32 % 2) {
            two_digits @ 10.. => two_digits - 9,
            one_digit => one_digit,
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| Some(digit) != digits.first())
}

/// RFC 5322's atom without what separates the parts of an address, and any letter beyond ASCII.
const fn is_local(byte: &u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | 0x80..)
        || matches!(
            byte,
            b'.' | b'_'
                | b'%'
                | b'+'
                | b'-'
                | b'!'
                | b'$'
                | b'\''
                | b'*'
                | b'~'
                | b'^'
                | b'`'
                | b'{'
                | b'|'
                | b'}'
        )
}

const fn is_domain(byte: &u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | 0x80..)
}

const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte >= 0x80
}

fn is_word(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte >= 0x80
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scrubbed(text: &str) -> String {
        Scrubbed::default().text(text).into_owned()
    }

    #[test]
    fn replaces_addresses_and_cards() {
        let cases = [
            ("/reset/ana@shop.example/now", "/reset/[email]/now"),
            ("q=Ana.Horvat%2Bnews%40shop.co.uk&page=2", "q=[email]&page=2"),
            ("q=a%2540b.hr", "q=[email]"),
            ("Hello žana@primjer.hr, and <x@y.zz>!", "Hello [email], and <[email]>!"),
            ("https://me:secret@blog.example/post", "https://me:[email]/post"),
            ("a@b.hr@c.hr", "[email]@c.hr"),
            ("card 4111 1111 1111 1111.", "card [card]."),
            ("n=5555555555554444&m=378282246310005", "n=[card]&m=[card]"),
            ("12 4111-1111-1111-1111", "12 [card]"),
            ("/4111%201111%201111%201111/", "/[card]/"),
        ];
        for (text, expected) in cases {
            assert_eq!(scrubbed(text), expected, "{text}");
        }
    }

    #[test]
    fn leaves_what_only_resembles_them() {
        let texts = [
            "/@ana/post",
            "/npm/vue@3.2.1/dist",
            "ana@localhost",
            "at 12 @ noon.today",
            "@.hr",
            "order 4111111111111112",
            "4111111111111111111111",
            "x4111111111111111",
            "1700000000000",
            "018f4d5e-0000-7000-8000-00000000000a",
            "2222222222222222",
            "q=red+shoes&page=2",
            "100%",
            "%4",
        ];
        let mut counts = Scrubbed::default();
        for text in texts {
            assert!(matches!(counts.text(text), Cow::Borrowed(same) if same == text), "{text}");
        }
        assert_eq!(counts, Scrubbed::default());
    }

    #[test]
    fn a_cut_leaves_nothing_of_what_it_goes_through() {
        for secret in [
            "ana.horvat@shop.example",
            "ana.horvat%40shop.example",
            "ana.horvat%2540shop.example",
            "4111 1111 1111 1111",
            "4111%201111%201111%201111",
        ] {
            let text = format!("žo{} note={secret}&a=b", "ž".repeat(400));
            let at = text.find(secret).unwrap();
            for bytes_max in 0..=text.len() {
                let cut = cut_clean(&text, bytes_max);
                assert!(cut.len() <= bytes_max && text.starts_with(cut));
                let inside = (at + 1..at + secret.len()).contains(&bytes_max);
                let expected = if inside { at } else { text.floor_char_boundary(bytes_max) };
                assert_eq!(cut.len(), expected, "{secret} at {bytes_max}");
                assert_eq!(cut_clean_cow(text.clone().into(), bytes_max), cut);
            }
        }
    }

    /// Were the text before each sign walked anew, this would take minutes.
    #[test]
    fn a_text_full_of_signs_is_read_once() {
        const BYTES: usize = 1024 * 1024;
        for sign in ["%40", "%40a", "a%40", "%2540", "%%40", "a@", "a@b.", "%40b.1", "2 ", "%2525"]
        {
            let text = sign.repeat(BYTES / sign.len());
            assert_eq!(scrubbed(&text), text, "{sign}");
        }
        // Each sign takes what is before it, so nothing is walked twice here either.
        assert_eq!(scrubbed(&"a%40b.hr/".repeat(9)), "[email]/".repeat(9));
    }

    #[test]
    fn counts_by_kind_over_a_row() {
        let mut row: EventRow = EventRow {
            title: "a@b.hr".into(),
            user_id: "a@b.hr".into(),
            categories: vec!["Shoes".into()],
            properties: vec![("to.g@h.hr".into(), "c@d.hr 4242424242424242 e@f.hr".into())],
            ..EventRow::default()
        };
        let mut counts = Scrubbed::default();
        counts.row(&mut row);
        assert_eq!(counts, Scrubbed { emails: 4, cards: 1 });
        assert_eq!(row.properties, [("[email]".into(), "[email] [card] [email]".into())]);
        assert_eq!(row.user_id, "a@b.hr", "the site's own id of the person is not touched");
    }

    proptest! {
        #[test]
        fn no_address_survives(
            before in ".{0,20}",
            local in "[a-zA-Z0-9._+-]{0,11}[a-zA-Z0-9]",
            sign in "@|%40|%2540",
            domain in "[a-z0-9]{1,8}(\\.[a-z0-9]{1,5}){0,2}\\.[a-z]{2,6}",
            after in ".{0,20}",
        ) {
            let address = format!("{local}{sign}{domain}");
            let clean = scrubbed(&format!("{before}{address}{after}"));
            // An address before it may have taken its local part; its domain is then gone with the sign.
            prop_assert!(!clean.contains(&address), "{clean}");
            // What is clean stays as it is.
            prop_assert_eq!(scrubbed(&clean), clean.clone());
        }

        #[test]
        fn no_card_survives(number in "[3-6][0-9]{14}", gap in "| |-") {
            let sum = |check: u8| check_digit_is_right(
                &number.bytes().map(|byte| byte - b'0').chain([check]).collect::<Vec<_>>(),
            );
            let check = (0..10).find(|check| sum(*check));
            prop_assume!(check.is_some());
            let number = format!("{number}{}", check.unwrap());
            let groups: Vec<_> =
                number.as_bytes().chunks(4).map(|group| std::str::from_utf8(group).unwrap()).collect();
            prop_assert_eq!(scrubbed(&format!("to {} now", groups.join(&gap))), "to [card] now");
        }

        #[test]
        fn any_text_is_read_without_panic(text in "[%@. 0-9a-z4-]{0,60}|.{0,60}") {
            scrubbed(&text);
        }
    }
}
