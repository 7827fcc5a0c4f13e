//! Who asks for more pages in a minute than a human can look at.
//!
//! Counted in a fixed array of this collector's memory, which another collector does not see: behind a
//! load balancer that gives each a part of a visitor's requests, the limit is higher by as many. Nothing
//! else depends on it.

use std::sync::atomic::{AtomicU64, Ordering};

use ahash::RandomState;
use uuid::Uuid;

use crate::keyed_hash::keyed;

/// Visitors counted at a time; 512 KiB in all. Two that share a place take it from each other, which
/// counts both too low and never too high.
const PLACES: usize = 1 << 16;
const MINUTE_MILLIS: i64 = 60_000;

/// Page views of visitors in their latest minute.
///
/// A place is `who << 32 | minute << 16 | count`: of the visitor's hash the upper half, of the minute
/// since 1970 the lower 16 bits (45 days).
pub(crate) struct PageViewRate {
    max: u16,
    hasher: RandomState,
    places: Box<[AtomicU64]>,
}

impl std::fmt::Debug for PageViewRate {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("PageViewRate").field("max", &self.max).finish_non_exhaustive()
    }
}

impl PageViewRate {
    /// With this many page views of one visitor in one minute, at most; none where that is 0.
    pub(crate) fn limited_to(max: u16) -> Option<Self> {
        let places = || (0..PLACES).map(|_| AtomicU64::new(0)).collect();
        (max > 0).then(|| Self { max, hasher: keyed(), places: places() })
    }

    /// Whether a visitor had more page views in the minute of an event than a human has; the event
    /// itself is counted where it is a page view. The minute is the event's own: a browser that was
    /// offline sends an hour's page views at once.
    pub(crate) fn is_exceeded(&self, visitor: Uuid, occurred_at: i64, is_page_view: bool) -> bool {
        let hash = self.hasher.hash_one(visitor.as_u128());
        let place = usize::try_from(hash).unwrap_or_default() % PLACES;
        let Some(place) = self.places.get(place) else { return false };
        let minute = occurred_at.div_euclid(MINUTE_MILLIS) as u16;
        let key = (hash >> 32) << 32 | u64::from(minute) << 16;
        let counted = |before: u64| {
            let same = before >> 16 == key >> 16;
            let count = if same { before as u16 } else { 0 };
            (same || is_page_view, key | u64::from(count.saturating_add(is_page_view.into())))
        };
        let update = |before| match counted(before) {
            (true, after) if after != before => Some(after),
            _ => None,
        };
        let before = place
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, update)
            .unwrap_or_else(|before| before);
        counted(before).1 as u16 > self.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    #[test]
    fn the_first_page_view_above_the_limit_is_too_many() {
        let rate = PageViewRate::limited_to(3).unwrap();
        let (fast, slow) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let seen: Vec<_> = (0..5).map(|_| rate.is_exceeded(fast, NOW, true)).collect();
        assert_eq!(seen, [false, false, false, true, true]);
        assert!(rate.is_exceeded(fast, NOW, false), "whatever else it does in that minute");
        assert!(!rate.is_exceeded(fast, NOW + MINUTE_MILLIS, true), "the next minute is another");
        assert!(!rate.is_exceeded(slow, NOW, true));
    }

    #[test]
    fn what_is_no_page_view_does_not_count() {
        let rate = PageViewRate::limited_to(3).unwrap();
        let visitor = Uuid::from_u128(1);
        assert!((0..100).all(|_| !rate.is_exceeded(visitor, NOW, false)));
        assert!(!rate.is_exceeded(visitor, NOW, true));
    }

    #[test]
    fn a_queue_of_an_hour_sent_at_once_is_a_humans() {
        let rate = PageViewRate::limited_to(60).unwrap();
        let visitor = Uuid::from_u128(1);
        let views = (0..1800).map(|number| NOW + number * 2_000);
        assert!(views.into_iter().all(|at| !rate.is_exceeded(visitor, at, true)));
    }

    #[test]
    fn the_count_does_not_turn_over() {
        let rate = PageViewRate::limited_to(u16::MAX - 1).unwrap();
        let visitor = Uuid::from_u128(1);
        let exceeded = (0..70_000).filter(|_| rate.is_exceeded(visitor, NOW, true)).count();
        assert_eq!(exceeded, 70_000 - usize::from(u16::MAX - 1));
    }

    #[test]
    fn a_million_visitors_take_no_more_room_and_disturb_nobody() {
        let rate = PageViewRate::limited_to(3).unwrap();
        let exceeded =
            (0..1_000_000).filter(|n| rate.is_exceeded(Uuid::from_u128(*n), NOW, true)).count();
        // Two visitors are taken for one only where place and hash are the same, 48 bits.
        assert_eq!(exceeded, 0);
        assert_eq!(rate.places.len(), PLACES);
    }
}
