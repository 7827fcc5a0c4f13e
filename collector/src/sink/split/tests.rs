//! A block with bad rows, a sink that remembers tokens as ClickHouse does, and crashes in between.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use proptest::prelude::*;
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::clock::SystemClock;
use crate::spool::block::{Frame, Header};

/// Takes rows by number, refuses parts with a bad one, and breaks off when its tries are used up.
struct Numbers {
    bad: Mutex<HashSet<u16>>,
    tries_left: Mutex<usize>,
    tokens: Mutex<HashSet<String>>,
    rows: Mutex<HashMap<u16, usize>>,
}

impl Sink for Numbers {
    async fn insert(&self, part: &Part<'_>) -> Result<(), SinkError> {
        let mut tries_left = self.tries_left.lock().unwrap();
        let Some(left) = tries_left.checked_sub(1) else {
            return Err(SinkError::Retry(Error::TimedOut));
        };
        *tries_left = left;
        let numbers: Vec<_> =
            part.rows.iter().map(|row| u16::from_le_bytes([row[0], row[1]])).collect();
        if numbers.iter().any(|number| self.bad.lock().unwrap().contains(number)) {
            let error = Error::BadResponse("Code: 469. no".to_owned());
            return Err(SinkError::Reject(error));
        }
        if self.tokens.lock().unwrap().insert(part.token.clone()) {
            let mut rows = self.rows.lock().unwrap();
            numbers.iter().for_each(|number| *rows.entry(*number).or_default() += 1);
        }
        // The answer gets lost on the way.
        if left == 0 { Err(SinkError::Retry(Error::TimedOut)) } else { Ok(()) }
    }

    async fn answers(&self) -> Result<(), SinkError> {
        Ok(())
    }
}

fn packed(rows: u16) -> Packed {
    let mut bytes = Header::bytes(Uuid::from_u128(7), 3);
    let mut frame = Frame::default();
    for number in 0..rows {
        frame.push(Table::Events, &number).unwrap();
    }
    bytes.extend_from_slice(frame.finish());
    Packed::new(Block::read(bytes).unwrap())
}

/// Places the block with these numbers of tries between crashes, and after the first of them with
/// other bad rows.
fn placed(rows: u16, bad: &[u16], later_bad: &[u16], tries: &[usize]) -> (TempDir, Numbers) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let dir = TempDir::new().unwrap();
    let sink = Numbers {
        bad: Mutex::new(bad.iter().copied().collect()),
        tries_left: Mutex::new(0),
        tokens: Mutex::default(),
        rows: Mutex::default(),
    };
    let (packed, metrics) = (packed(rows), Metrics::new());
    for tries in tries.iter().copied().chain([usize::MAX]) {
        *sink.tries_left.lock().unwrap() = tries;
        let dead = DeadLetters::bounded(dir.path(), 1 << 20);
        let splitter = Splitter { dead: &dead, clock: &SystemClock, metrics: &metrics };
        let journal = Journal::open(dir.path().join("3.split"), &packed.block).unwrap();
        match runtime.block_on(splitter.place(&packed, journal, &sink, None)) {
            Ok(Placed::In { .. }) => break,
            Ok(Placed::Stuck { reason }) => panic!("{reason}"),
            Err(_) => *sink.bad.lock().unwrap() = later_bad.iter().copied().collect(),
        }
    }
    (dir, sink)
}

#[test]
fn finds_the_bad_rows_in_few_tries() {
    let (dir, sink) = placed(1000, &[417], &[417], &[]);
    assert_eq!(sink.rows.lock().unwrap().len(), 999);
    // One whole try, then two for each halving, less one where the half is a row.
    assert!(sink.tokens.lock().unwrap().len() <= 11);
    assert_eq!(DeadLetters::of(dir.path()).list().unwrap().len(), 1);
}

#[test]
fn a_block_of_nothing_but_bad_rows_is_given_up() {
    let dir = TempDir::new().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let sink = Numbers {
        bad: Mutex::new((0..2000).collect()),
        tries_left: Mutex::new(usize::MAX),
        tokens: Mutex::default(),
        rows: Mutex::default(),
    };
    let (packed, metrics) = (packed(2000), Metrics::new());
    for (bytes_max, letters) in [(1200, 1..3), (10 << 20, BAD_ROWS_MAX..BAD_ROWS_MAX + 1)] {
        let dead = DeadLetters::bounded(dir.path(), bytes_max);
        let splitter = Splitter { dead: &dead, clock: &SystemClock, metrics: &metrics };
        let journal = Journal::open(dir.path().join("3.split"), &packed.block).unwrap();
        let placed = runtime.block_on(splitter.place(&packed, journal, &sink, None)).unwrap();
        assert!(matches!(placed, Placed::Stuck { .. }));
        let found = dead.list().unwrap().len();
        assert!(letters.contains(&found), "{found}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// Whatever breaks off and whatever rule of ClickHouse's is lifted meanwhile: each row is in once, or a
    /// dead letter, or (where a crash fell between) both under one token, so that its replay is left out.
    #[test]
    fn every_row_is_placed_once(
        rows in 1_u16..40,
        bad in proptest::collection::vec(0_u16..40, 0..6),
        lifted in proptest::collection::vec(any::<bool>(), 6),
        tries in proptest::collection::vec(0_usize..12, 0..4),
    ) {
        let later_bad: Vec<_> =
            bad.iter().zip(lifted).filter_map(|(row, lifted)| (!lifted).then_some(*row)).collect();
        let (dir, sink) = placed(rows, &bad, &later_bad, &tries);
        let letters = DeadLetters::of(dir.path()).list().unwrap();
        let (tokens, stored) = (sink.tokens.lock().unwrap(), sink.rows.lock().unwrap());
        prop_assert!(stored.values().all(|times| *times == 1), "{stored:?}");
        let only_letters = letters.iter().filter(|letter| !tokens.contains(letter.token())).count();
        prop_assert_eq!(stored.len() + only_letters, usize::from(rows));
    }
}
