//! What senders write in more than one way.

use core::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

/// A field that need not be there: `null` is as good as nothing, as many languages write it.
pub(crate) fn or_default<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Milliseconds since 1970. Clocks that count their parts too (`performance.timeOrigin`) are cut to whole
/// ones.
pub(crate) fn millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    struct Millis;

    impl Visitor<'_> for Millis {
        type Value = u64;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("milliseconds since 1970")
        }

        fn visit_u64<E: Error>(self, millis: u64) -> Result<u64, E> {
            Ok(millis)
        }

        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole milliseconds are meant, and what is below nought has been refused"
        )]
        fn visit_f64<E: Error>(self, millis: f64) -> Result<u64, E> {
            if millis >= 0.0 {
                Ok(millis as u64)
            } else {
                Err(E::invalid_value(serde::de::Unexpected::Float(millis), &self))
            }
        }
    }

    deserializer.deserialize_u64(Millis)
}
