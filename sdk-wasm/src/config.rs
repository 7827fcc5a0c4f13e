//! The tracker's own limits.

/// How soon an event leaves once the first one has gone: later ones wait this long for company.
pub const FLUSH_MILLIS: u64 = 1000;
/// Events the queue holds; then an old one is left out for the newest.
pub const QUEUE_EVENTS_MAX: usize = 100;
/// Bytes of the events of one batch: the browser's limit less what is around them. The loader lets no event
/// grow so large (loader/calls.js).
pub const BATCH_BYTES_MAX: usize = wire::limits::KEEPALIVE_BYTES_MAX - 2 * 1024;
