//! The time and the dice.

use js_sys::{Date, Math};

/// Time and chance, which the tracker has from nowhere else.
pub trait Clock {
    /// Milliseconds since 1970 by the browser's clock, which may be wrong and may jump.
    fn now(&self) -> u64;

    /// A number from 0 to 255.
    fn chance(&self) -> u8;
}

/// Whole milliseconds, far below 2^53, so nothing is lost.
pub(crate) fn now() -> u64 {
    Date::now() as u64
}

/// Good enough to come back at different times.
pub(crate) fn chance() -> u8 {
    (Math::random() * 256.0) as u8
}
