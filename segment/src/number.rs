//! Numbers are compared as decimals, exactly, so that the database and this crate never differ by a
//! rounding.

use core::fmt;

/// Digits after the point that count. The same scale stands in the SQL (`Decimal(38, 9)`).
const SCALE: usize = 9;
/// Digits a number may have before the point.
const WHOLE_DIGITS_MAX: usize = 18;
/// Digits a property's text may have after the point (a float's dust); those after the ninth do not count.
const FRACTION_DIGITS_MAX: usize = 30;
const ONE: i128 = 1_000_000_000;

/// A decimal number with at most 18 digits before the point and 9 after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(i128);

impl Number {
    /// Reads a number as a rule writes it: `-5`, `19.99`.
    #[must_use]
    pub fn from_literal(text: &str) -> Option<Self> {
        let (_, fraction) = split(text);
        if fraction.is_some_and(|digits| digits.len() > SCALE) {
            return None;
        }
        Self::from_event(text)
    }

    /// Reads a number as an event carries it. What is not a plain decimal (`1e5`, ` 5`, `+5`) is a
    /// text, and no comparison of numbers holds for it.
    #[must_use]
    pub fn from_event(text: &str) -> Option<Self> {
        let (whole, fraction) = split(text);
        let (negative, whole) = match whole.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, whole),
        };
        if !digits_fit(whole, WHOLE_DIGITS_MAX) {
            return None;
        }
        if fraction.is_some_and(|digits| !digits_fit(digits, FRACTION_DIGITS_MAX)) {
            return None;
        }
        let fraction = fraction.unwrap_or("").bytes().chain(core::iter::repeat(b'0')).take(SCALE);
        let scaled = whole
            .bytes()
            .chain(fraction)
            .fold(0_i128, |sum, digit| sum * 10 + i128::from(digit - b'0'));
        Some(Self(if negative { -scaled } else { scaled }))
    }
}

fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    }
}

fn digits_fit(text: &str, digits_max: usize) -> bool {
    (1..=digits_max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, fraction) = (self.0.abs() / ONE, self.0.abs() % ONE);
        write!(out, "{sign}{whole}")?;
        if fraction == 0 {
            return Ok(());
        }
        let (mut digits, mut width) = (fraction, SCALE);
        while digits % 10 == 0 {
            digits /= 10;
            width -= 1;
        }
        write!(out, ".{digits:0width$}")
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::Number;

    #[test]
    fn reads_plain_decimals_only() {
        for (text, shown) in [
            ("5", "5"),
            ("-0", "0"),
            ("19.990", "19.99"),
            ("-0.000000001", "-0.000000001"),
            ("0.30000000000000004", "0.3"),
            ("999999999999999999", "999999999999999999"),
        ] {
            let number = Number::from_event(text).map(|number| number.to_string());
            assert_eq!(number.as_deref(), Some(shown), "{text}");
        }
        for text in [
            "",
            "-",
            ".5",
            "5.",
            "+5",
            " 5",
            "5 ",
            "1e5",
            "5\n",
            "1.2.3",
            "--5",
            "٣",
            "1234567890123456789",
        ] {
            assert_eq!(Number::from_event(text), None, "{text:?}");
        }
        assert_eq!(Number::from_literal("0.1234567891"), None);
    }

    #[test]
    fn orders_by_value() {
        assert!(Number::from_event("9") < Number::from_event("10"));
        assert!(Number::from_event("-1.5") < Number::from_event("-1.49"));
    }
}
