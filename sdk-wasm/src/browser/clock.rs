//! The time.

use js_sys::Date;

/// Time, which the tracker has from nowhere else.
pub trait Clock {
    /// Milliseconds since 1970 by the browser's clock, which may be wrong and may jump.
    fn now(&self) -> u64;
}

/// Whole milliseconds, far below 2^53, so nothing is lost.
pub(crate) fn now() -> u64 {
    Date::now() as u64
}
