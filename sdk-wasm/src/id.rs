//! Ids that sort by time: UUIDs of version 7 (RFC 9562, section 5.7).

use crate::browser::Clock;

/// A new id of this moment.
pub(crate) fn new(clock: &mut dyn Clock) -> String {
    let mut bytes = [0; 16];
    clock.fill_random(&mut bytes);
    for (byte, time) in bytes.iter_mut().zip(clock.now().to_be_bytes().into_iter().skip(2)) {
        *byte = time;
    }
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    text(bytes)
}

/// Whether a stored text is still an id: the visitor, or another script, may have changed it.
pub(crate) fn is_id(text: &str) -> bool {
    let hyphen = |index| matches!(index, 8 | 13 | 18 | 23);
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match byte {
            b'-' => hyphen(index),
            byte => byte.is_ascii_hexdigit() && !hyphen(index),
        })
}

fn text(bytes: [u8; 16]) -> String {
    const HEX: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push(HEX[usize::from(byte >> 4)]);
        text.push(HEX[usize::from(byte & 0x0f)]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::browser::fake::FakeBrowser;

    #[test]
    fn an_id_carries_its_time_its_version_and_chance() {
        let mut browser = FakeBrowser::at("https://shop.example/");
        assert_eq!(new(&mut browser), "019b76da-a800-7000-8000-000000000001");
        assert_eq!(new(&mut browser), "019b76da-a800-7000-8000-000000000002");
    }

    #[test]
    fn a_changed_id_is_no_id() {
        assert!(is_id("019b76da-a800-7000-8000-000000000001"));
        for text in [
            "",
            "019b76da",
            "019b76da-a800-7000-8000-00000000000g",
            "019b76da-a800-7000-80000-0000000001-1",
        ] {
            assert!(!is_id(text), "{text}");
        }
    }
}
