//! Numbers as people read them.

/// `1234567` as `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A part of one as `62.3%`; never `100.0%` of something less than all.
pub(super) fn percent(part: f64) -> String {
    let tenths = (part * 1000.0).round();
    let tenths = if part < 1.0 { tenths.min(999.0) } else { tenths };
    if part >= 1.0 { "100%".to_owned() } else { format!("{:.1}%", tenths / 10.0) }
}

/// How long a bar is, in hundredths of the longest.
pub(super) fn share(value: f64, longest: f64) -> String {
    let share = if longest > 0.0 { (value / longest * 100.0).clamp(0.0, 100.0) } else { 0.0 };
    format!("{share:.2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_thousands() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (123_456, "123,456"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn a_part_is_never_shown_as_all() {
        for (part, text) in [(0.0, "0.0%"), (0.625, "62.5%"), (0.9999, "99.9%"), (1.0, "100%")] {
            assert_eq!(percent(part), text);
        }
        assert_eq!(share(1.0, 3.0), "33.33");
        assert_eq!(share(0.0, 0.0), "0.00");
    }
}
