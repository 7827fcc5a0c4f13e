//! SHA-256 as the platforms write it, and how to tell that a text was hashed before it came.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::ParseError;

/// Characters of a SHA-256 in hexadecimal.
const HEX_CHARS: usize = 64;
/// Characters of an MD5 and of a SHA-1 in hexadecimal.
const OTHER_DIGEST_CHARS: [usize; 2] = [32, 40];

/// An unsalted SHA-256 in lower-case hexadecimal: what Google and Meta compare.
///
/// Held as its 32 bytes: an audience holds millions of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hashed([u8; 32]);

impl Hashed {
    /// Hashes a text that is in the platform's normal form already.
    pub(crate) fn of(normalized: &str) -> Self {
        Self(Sha256::digest(normalized.as_bytes()).into())
    }

    /// Reads a value that was hashed before it came (64 hexadecimal digits, either case), so that
    /// it is not hashed twice. `Ok(None)` is a text that is no digest at all.
    ///
    /// # Errors
    ///
    /// [`ParseError::OtherDigest`] where it looks like an MD5 or a SHA-1.
    pub fn recognize(text: &str) -> Result<Option<Self>, ParseError> {
        let text = text.trim();
        let mut bytes = [0; 32];
        if text.len() == HEX_CHARS && hex::decode_to_slice(text, &mut bytes).is_ok() {
            return Ok(Some(Self(bytes)));
        }
        let hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if hexadecimal && OTHER_DIGEST_CHARS.contains(&text.len()) {
            return Err(ParseError::OtherDigest);
        }
        Ok(None)
    }
}

impl fmt::Display for Hashed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hashed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_the_published_example_of_meta_does() {
        let hashed = Hashed::of("john_smith@gmail.com");
        assert_eq!(
            hashed.to_string(),
            "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"
        );
    }

    #[test]
    fn recognizes_a_digest_and_only_that() {
        let upper = "62A14E44F765419D10FEA99367361A727C12365E2520F32218D505ED9AA0F62F";
        assert_eq!(Hashed::recognize(upper), Ok(Some(Hashed::of("john_smith@gmail.com"))));
        assert_eq!(Hashed::recognize("ana@example.hr"), Ok(None));
        assert_eq!(Hashed::recognize(""), Ok(None));
        assert_eq!(
            Hashed::recognize("d41d8cd98f00b204e9800998ecf8427e"),
            Err(ParseError::OtherDigest)
        );
        let one_short = "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62";
        assert_eq!(Hashed::recognize(one_short), Ok(None));
    }
}
