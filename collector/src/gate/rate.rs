//! Events a second, by whatever is limited, in a memory that does not grow.
//!
//! Each key has a debt in time: an event adds the time that it may take, and time pays it off (the
//! generic cell rate algorithm, ITU-T I.371 annex A). A key whose debt is over a minute waits. Debts
//! lie in two rows of cells, and a key's is the lesser of its two (a count-min sketch, Cormode and
//! Muthukrishnan 2005): so a million addresses take as much room as one, nothing is ever cleared out,
//! and none is refused for another's sake unless both of its cells are shared with one that is over.
//! Where a hundred are, that is one address in 400,000; nobody outside can choose whom, because the
//! hash has a key of its own in every process.
//!
//! The crate `governor` has the same algorithm, but keeps a cell for every key it has seen until it is
//! told to look through all of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ahash::RandomState;

use super::address::Address;
use crate::keyed_hash::keyed;

/// What may come at once: so many seconds' worth.
pub(super) const BURST: Duration = Duration::from_secs(60);
const BURST_NANOS: u64 = BURST.as_nanos() as u64;

/// Bits of a cell's number in its row.
const CELL_BITS: u32 = 16;
const CELLS: usize = 1 << CELL_BITS;

/// Who is limited. A page and a server at one address are two.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key<'a> {
    Page(Address),
    Server(Address),
    Site(&'a str),
}

/// How much time an event takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    nanos_per_event: u64,
}

impl Rate {
    /// `None` for 0: no limit.
    pub(super) fn per_second(events: u32) -> Option<Self> {
        (events > 0).then(|| Self { nanos_per_event: 1_000_000_000 / u64::from(events) })
    }
}

/// Everybody's debts: 1 MiB.
#[derive(Debug)]
pub(super) struct Rates {
    /// When each cell's debt is paid, in nanoseconds since `began`.
    rows: [Box<[AtomicU64]>; 2],
    hasher: RandomState,
    began: Instant,
}

impl Default for Rates {
    fn default() -> Self {
        let row = || (0..CELLS).map(|_| AtomicU64::new(0)).collect();
        Self { rows: [row(), row()], hasher: keyed(), began: Instant::now() }
    }
}

impl Rates {
    /// Nanoseconds since this was made: 584 years.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Takes the events, or says how long until some are taken again.
    pub(super) fn take(
        &self,
        key: Key<'_>,
        rate: Rate,
        events: u64,
        now: u64,
    ) -> Result<(), Duration> {
        let cells = self.cells(key);
        let debt = |cell: &AtomicU64| cell.load(Ordering::Relaxed).saturating_sub(now);
        let debt = cells.into_iter().map(debt).min().unwrap_or_default();
        if debt >= BURST_NANOS {
            return Err(Duration::from_nanos(debt - BURST_NANOS));
        }
        add(cells, rate, events, now);
        Ok(())
    }

    /// Takes events that are there already, also over the rate.
    pub(super) fn charge(&self, key: Key<'_>, rate: Rate, events: u64, now: u64) {
        if events > 0 {
            add(self.cells(key), rate, events, now);
        }
    }

    fn cells(&self, key: Key<'_>) -> [&AtomicU64; 2] {
        let hash = match key {
            Key::Page(address) => self.hasher.hash_one(address.bits(0)),
            Key::Server(address) => self.hasher.hash_one(address.bits(1)),
            Key::Site(name) => self.hasher.hash_one(name),
        };
        let [first, second] = &self.rows;
        let place = |bits: u64| bits as usize % CELLS;
        [&first[place(hash)], &second[place(hash >> CELL_BITS)]]
    }
}

fn add(cells: [&AtomicU64; 2], rate: Rate, events: u64, now: u64) {
    let time = rate.nanos_per_event.saturating_mul(events);
    for cell in cells {
        let mut paid_at = cell.load(Ordering::Relaxed);
        // Others may write meanwhile; nothing else is read by this cell's order.
        while let Err(newer) = cell.compare_exchange_weak(
            paid_at,
            paid_at.max(now).saturating_add(time),
            Ordering::Relaxed,
            Ordering::Relaxed,
        ) {
            paid_at = newer;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn page(number: u32) -> Key<'static> {
        Key::Page(Address::V4(number))
    }

    fn rate(events: u32) -> Rate {
        Rate::per_second(events).unwrap()
    }

    #[test]
    fn a_minutes_worth_at_once_and_then_the_rate() {
        let (rates, ten) = (Rates::default(), rate(10));
        let now = 5 * SECOND;
        assert!((0..600).all(|_| rates.take(page(1), ten, 1, now).is_ok()));
        assert_eq!(rates.take(page(1), ten, 1, now), Err(Duration::ZERO));
        rates.charge(page(1), ten, 20, now);
        assert_eq!(rates.take(page(1), ten, 1, now), Err(Duration::from_secs(2)));
        // Another address, and a server at the same one, are not concerned.
        assert_eq!(rates.take(page(2), ten, 1, now), Ok(()));
        assert_eq!(rates.take(Key::Server(Address::V4(1)), ten, 1, now), Ok(()));
        let later = now + 3 * SECOND;
        assert!((0..10).all(|_| rates.take(page(1), ten, 1, later).is_ok()));
        assert!(rates.take(page(1), ten, 1, later).is_err());
        assert!((0..600).all(|_| rates.take(page(1), ten, 1, later + 90 * SECOND).is_ok()));
    }

    #[test]
    fn a_batch_larger_than_the_burst_is_taken_once() {
        let (rates, one) = (Rates::default(), rate(1));
        assert_eq!(rates.take(page(1), one, 1000, 0), Ok(()));
        assert_eq!(rates.take(page(1), one, 1, 0), Err(Duration::from_secs(940)));
    }

    #[test]
    fn a_million_addresses_neither_take_room_nor_refuse_an_honest_one() {
        let (rates, limit) = (Rates::default(), rate(500));
        let over = |number| {
            rates.charge(page(number), limit, 40_000, 0);
            assert!(rates.take(page(number), limit, 1, 0).is_err(), "its debt is over a minute");
        };
        (0..100).for_each(over);
        // Each of a million sends what a visitor does in a minute, all in the same one.
        let refused = (1_000_000..2_000_000)
            .filter(|number| rates.take(page(*number), limit, 4, 0).is_err())
            .count();
        assert!(refused < 100, "{refused} of a million share both cells with one that is over");
        assert_eq!(rates.rows.iter().map(|row| row.len()).sum::<usize>(), 2 * CELLS);
    }

    #[test]
    fn none_is_no_limit() {
        assert_eq!(Rate::per_second(0), None);
    }
}
