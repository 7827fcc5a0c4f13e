//! Ids that sort by time: UUIDs of version 7 (RFC 9562, section 5.7). The loader makes them, because
//! it needs them too where there is no WebAssembly.

/// Whether a stored text is still an id: the visitor, or another script, may have changed it.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

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
