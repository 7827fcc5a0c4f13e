//! The archive on a real folder: what is kept, what room is made, what is read back.

use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::metrics::ArchiveCounts;
use crate::spool::Journal;
use crate::spool::block::{Block, Frame, Header};

/// A block with an event of a second since 1970, a bot's, and an identifier that is none.
fn block(second: i64, title: &str) -> Block {
    let mut bytes = Header::bytes(Uuid::from_u128(7), 3);
    let mut frame = Frame::default();
    let row = EventRow {
        site: "shop".to_owned(),
        occurred_at: 1_000 * second,
        title: title.to_owned(),
        ..EventRow::default()
    };
    frame.push(Table::Events, &row).unwrap();
    frame.push(Table::BotEvents, &EventRow { occurred_at: 9_000, ..row }).unwrap();
    frame.push(Table::Identifiers, &"none").unwrap();
    bytes.extend_from_slice(frame.finish());
    Block::read(bytes).unwrap()
}

fn keeper(dir: &TempDir, bytes_max: u64) -> Keeper {
    Keeper::open(dir.path(), Limits { bytes_max, age_max: Some(Duration::from_secs(100)) })
}

fn at(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(second)
}

#[test]
fn lists_what_was_kept_also_by_a_former_run() {
    let dir = TempDir::new().unwrap();
    let archive = Archive::of(dir.path());
    assert!(archive.list().unwrap().is_empty());
    let keeper_before = keeper(&dir, 1 << 20);
    keeper_before.keep(&block(2, "a"), None, at(0));
    keeper_before.keep(&block(1, "b"), None, at(0));
    keeper(&dir, 1 << 20).keep(&block(3, "c"), None, at(0));
    let list = archive.list().unwrap();
    assert_eq!(list.iter().map(|file| file.blocks).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(list[0].from, Timestamp::from_second(1).ok());
    assert_eq!(list[0].to, Timestamp::from_second(9).ok());
    assert_eq!((list[0].rows, list[0].sites.get("shop")), (6, Some(&4)));
    assert_eq!(list.iter().map(|file| file.bytes).sum::<u64>(), archive.bytes().unwrap());
}

#[test]
fn the_oldest_gives_room_and_the_bytes_are_never_exceeded() {
    let dir = TempDir::new().unwrap();
    let bytes_max = 16 * 1024;
    let keeper = keeper(&dir, bytes_max);
    for second in 0..200 {
        keeper.keep(&block(second, &"x".repeat(300)), None, at(0));
        assert!(Archive::of(dir.path()).bytes().unwrap() <= bytes_max);
    }
    let list = Archive::of(dir.path()).list().unwrap();
    assert!(list.len() > 2, "room is made by parts: {list:?}");
    assert_eq!(list.iter().map(|file| file.damaged).sum::<u64>(), 0);
    let newest = list.iter().filter_map(|file| file.from).max().unwrap();
    assert_eq!(newest, Timestamp::from_second(9).unwrap(), "the last ones are there");
    assert!(list.iter().map(|file| file.blocks).sum::<u64>() < 200);
    // What can never find room is left out, and nothing is removed for it.
    let counts = ArchiveCounts::default();
    let keeper = keeper.counted_by(counts.clone());
    keeper.keep(&block(1, &"x".repeat(20_000)), None, at(0));
    assert_eq!(Archive::of(dir.path()).list().unwrap(), list);
    assert_eq!((counts.kept.get(), counts.failed.get()), (0, 1));
    keeper.keep(&block(10, "x"), None, at(0));
    assert_eq!((counts.kept.get(), counts.failed.get()), (1, 1));
    assert_eq!(counts.bytes.get(), Archive::of(dir.path()).bytes().unwrap());
}

#[test]
fn the_old_go_also_where_nothing_is_kept_any_more() {
    let dir = TempDir::new().unwrap();
    keeper(&dir, 1 << 20).keep(&block(1, "a"), None, SystemTime::now());
    let off = keeper(&dir, 0);
    assert!(!off.is_wanted());
    off.forget_old(SystemTime::now()).unwrap();
    assert_eq!(Archive::of(dir.path()).list().unwrap().len(), 1);
    // A clock that was set back takes nothing away.
    off.forget_old(at(0)).unwrap();
    assert_eq!(Archive::of(dir.path()).list().unwrap().len(), 1);
    let counts = ArchiveCounts::default();
    let off = off.counted_by(counts.clone());
    assert!(counts.bytes.get() > 0, "what the last run has kept counts");
    off.forget_old(SystemTime::now() + Duration::from_secs(101)).unwrap();
    assert!(Archive::of(dir.path()).list().unwrap().is_empty());
    assert_eq!(counts.bytes.get(), 0);
}

#[test]
fn a_row_that_was_refused_is_no_longer_the_blocks() {
    let dir = TempDir::new().unwrap();
    let block = block(1, "a");
    let mut journal = Journal::open(dir.path().join("3.split"), &block).unwrap();
    journal.refuse(Table::BotEvents, &(0..1)).unwrap();
    keeper(&dir, 1 << 20).keep(&block, Some(&journal), at(0));
    let list = Archive::of(dir.path()).list().unwrap();
    assert_eq!(list[0].to, Timestamp::from_second(1).ok());
    assert_eq!(list[0].sites.get("shop"), Some(&1));
}

#[test]
fn damage_is_told_and_does_not_hide_the_next_block() {
    let dir = TempDir::new().unwrap();
    let keeper = keeper(&dir, 1 << 20);
    for second in 1..=3 {
        keeper.keep(&block(second, "a"), None, at(0));
    }
    let path = &files(&dir.path().join(FOLDER)).unwrap()[0].0;
    let whole = fs::read(path).unwrap();
    let told = |bytes: &[u8]| {
        fs::write(path, bytes).unwrap();
        let list = Archive::of(dir.path()).list().unwrap();
        (list[0].blocks, list[0].damaged)
    };
    assert_eq!(told(&whole), (3, 0));
    let each = (whole.len() - 8) / 3;
    let mut flipped = whole.clone();
    flipped[8 + each + 100] ^= 1;
    assert_eq!(told(&flipped), (2, 1));
    assert_eq!(told(&whole[..whole.len() - 1]), (2, 1));
    for cut in 0..whole.len() {
        let (blocks, damaged) = told(&whole[..cut]);
        assert_eq!(blocks, (cut.max(8) as u64 - 8) / each as u64, "cut at {cut}");
        let between = cut >= 8 && (cut - 8).is_multiple_of(each);
        assert_eq!(damaged == 0, between, "cut at {cut}");
    }
    assert_eq!(told(b"no archive"), (0, 1));
}

/// A block as another release wrote it, with these columns of events.
fn block_of(columns: &[&str], row: &impl Serialize) -> Block {
    let columns = serde_json::to_string(columns).unwrap();
    let header = format!(
        r#"{{"instance":"{}","sequence":1,"events":{columns},"identifiers":[]}}"#,
        Uuid::from_u128(7)
    );
    let mut bytes = b"FFSPOOL1".to_vec();
    bytes.extend_from_slice(Frame::of_payload(header.as_bytes()).finish());
    let mut frame = Frame::default();
    frame.push(Table::Events, row).unwrap();
    bytes.extend_from_slice(frame.finish());
    Block::read(bytes).unwrap()
}

#[test]
fn a_former_releases_rows_are_read_and_a_later_ones_are_told() {
    let dir = TempDir::new().unwrap();
    let keeper = keeper(&dir, 1 << 20);
    keeper.keep(&block_of(&["site", "occurred_at"], &("shop", 4_000_i64)), None, at(0));
    keeper.keep(&block_of(&["site", "mood"], &("shop", "good")), None, at(0));
    let path = &files(&dir.path().join(FOLDER)).unwrap()[0].0;
    let read: Vec<_> = file::read(path)
        .unwrap()
        .map(|found| match found.unwrap() {
            Found::Entry(entry) => events(&entry, Table::Events).next().unwrap(),
            Found::Damaged => panic!("nothing is damaged"),
        })
        .collect();
    let former = EventRow { site: "shop".to_owned(), occurred_at: 4_000, ..EventRow::default() };
    assert_eq!(read, [Some(former), None]);
}
