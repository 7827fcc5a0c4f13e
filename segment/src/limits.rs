//! A rule comes from outside, so it is bounded: what it costs to parse, to hold and to answer.

/// Bytes of a rule, a condition or a list of comparisons as text.
pub const TEXT_BYTES_MAX: usize = 4096;
/// How deep `not` and parentheses may nest. The parser and the evaluator recurse this far.
pub const DEPTH_MAX: usize = 32;
/// `did ...` conditions in one rule. Each is a pass over the visitor's events.
pub const ACTIONS_MAX: usize = 64;
/// Comparisons after one `where`.
pub const COMPARISONS_MAX: usize = 16;
/// Values in one `in (...)`.
pub const VALUES_MAX: usize = 256;
/// The largest `at least N times`.
pub const TIMES_MAX: u32 = 1_000_000;
/// The longest `in last ...`: ten years, in minutes.
pub const WINDOW_MINUTES_MAX: u32 = 10 * 366 * 24 * 60;
