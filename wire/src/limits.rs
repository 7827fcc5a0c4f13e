//! Everything has a limit, and both ends know it.

/// Bytes of a request's body, after decompression. A browser sends at most 64 KiB (the limit of
/// `fetch` with `keepalive`); servers and imports may send more.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of a body a browser may send while its page goes away, by the Fetch standard.
pub const KEEPALIVE_BYTES_MAX: usize = 64 * 1024;
/// Events in one batch.
pub const EVENTS_PER_BATCH_MAX: usize = 1000;
/// Bytes of a page's address or referrer. Longer ones are cut.
pub const URL_BYTES_MAX: usize = 2048;
/// Bytes of a title, an event's name, a funnel, a step, a category. Longer ones are cut.
pub const NAME_BYTES_MAX: usize = 256;
/// Categories of one page. Further ones are left out.
pub const CATEGORIES_MAX: usize = 8;
/// Properties of one event, after nested objects were flattened to dotted names. Further ones are
/// left out.
pub const PROPERTIES_MAX: usize = 64;
/// Bytes of one property's value as text. Longer ones are cut.
pub const PROPERTY_BYTES_MAX: usize = 1024;
/// Bytes of one property that is a list (an order's products), as JSON: some eighty of them. Of a longer
/// one the last entries are left out.
pub const PROPERTY_LIST_BYTES_MAX: usize = 8 * 1024;
/// How deep properties may nest. Deeper ones are left out.
pub const PROPERTIES_DEPTH_MAX: usize = 4;
/// Bytes of a person's known id. An event with a longer one is dropped: a cut id is another id.
pub const USER_BYTES_MAX: usize = 256;
/// Bytes of a site's name.
pub const SITE_NAME_BYTES_MAX: usize = 63;
