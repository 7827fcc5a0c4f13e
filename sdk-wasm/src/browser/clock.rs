//! The time and the dice.

/// Time and randomness, which the tracker has from nowhere else.
pub trait Clock {
    /// Milliseconds since 1970 by the browser's clock, which may be wrong and may jump.
    fn now(&self) -> u64;

    /// Fills `bytes` with numbers nobody can guess.
    fn fill_random(&mut self, bytes: &mut [u8]);
}

/// `Date.now()`: whole milliseconds, far below 2^53, so nothing is lost.
pub(crate) fn now() -> u64 {
    js_sys::Date::now() as u64
}

/// `crypto.getRandomValues`, which plain http pages have too (`randomUUID` they have not). Where a
/// browser refuses it, the bytes come from `Math.random`.
pub(crate) fn fill_random(window: &web_sys::Window, bytes: &mut [u8]) {
    let filled =
        window.crypto().is_ok_and(|crypto| crypto.get_random_values_with_u8_array(bytes).is_ok());
    if !filled {
        for byte in bytes {
            *byte = (js_sys::Math::random() * 256.0) as u8;
        }
    }
}
