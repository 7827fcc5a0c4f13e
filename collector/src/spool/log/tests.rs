//! The spool through its own door, on a real folder.

use std::os::fd::OwnedFd;

use tempfile::TempDir;

use super::super::block::Table;
use super::*;

fn limits() -> Limits {
    Limits {
        block_rows_max: 3,
        block_bytes_max: 1 << 20,
        block_age_max: Duration::from_secs(3600),
        bytes_max: 1 << 20,
    }
}

fn open(dir: &Path) -> Spool {
    Spool::open(dir, limits(), Durability::Process).unwrap().0
}

fn frame(text: &str) -> Frame {
    let mut frame = Frame::default();
    frame.push(Table::Events, &text).unwrap();
    frame
}

/// The rows of every sealed block, block by block.
fn blocks(spool: &Spool) -> Vec<Vec<String>> {
    let mut blocks = Vec::new();
    while let Some(sealed) = spool.oldest() {
        let block = spool.read(sealed).unwrap().unwrap();
        let text = |row: &[u8]| String::from_utf8(row[1..].to_vec()).unwrap();
        blocks.push(block.rows(Table::Events).map(text).collect());
        spool.remove(sealed).unwrap();
    }
    blocks
}

#[tokio::test]
async fn seals_by_rows_and_keeps_the_order() {
    let dir = TempDir::new().unwrap();
    let spool = open(dir.path());
    for text in ["a", "b", "c", "d"] {
        spool.append(frame(text)).await.unwrap();
    }
    spool.seal();
    assert_eq!(blocks(&spool), [vec!["a", "b", "c"], vec!["d"]]);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "only the lock is left");
    assert_eq!(spool.fill().0, 0);
}

#[tokio::test]
async fn seals_by_age_unless_blocks_are_waiting() {
    let dir = TempDir::new().unwrap();
    let limits = Limits { block_age_max: Duration::ZERO, ..limits() };
    let (spool, _) = Spool::open(dir.path(), limits, Durability::Process).unwrap();
    for text in ["a", "b", "c", "d"] {
        spool.append(frame(text)).await.unwrap();
        spool.seal_by_age();
    }
    assert_eq!(spool.blocks_waiting(), 2);
    spool.seal();
    assert_eq!(blocks(&spool), [vec!["a"], vec!["b"], vec!["c", "d"]]);
}

#[tokio::test]
async fn a_new_run_finds_what_the_last_one_left_first() {
    let dir = TempDir::new().unwrap();
    let spool = open(dir.path());
    for text in ["a", "b", "c", "d"] {
        spool.append(frame(text)).await.unwrap();
    }
    drop(spool);
    let spool = open(dir.path());
    spool.append(frame("e")).await.unwrap();
    spool.seal();
    assert_eq!(blocks(&spool), [vec!["a", "b", "c"], vec!["d"], vec!["e"]]);
}

#[tokio::test]
async fn a_tail_torn_at_any_byte_loses_only_the_frame_it_is_in() {
    let dir = TempDir::new().unwrap();
    let spool = open(dir.path());
    spool.append(frame("answered")).await.unwrap();
    let path = file_path(dir.path(), 0, OPEN);
    let answered = fs::metadata(&path).unwrap().len();
    spool.append(frame("torn")).await.unwrap();
    let whole = fs::read(&path).unwrap();
    drop(spool);
    for cut in answered..whole.len() as u64 {
        fs::write(&path, &whole[..usize::try_from(cut).unwrap()]).unwrap();
        let (spool, found) = Spool::open(dir.path(), limits(), Durability::Process).unwrap();
        assert_eq!(found.cut_bytes, cut - answered);
        assert_eq!(blocks(&spool), [vec!["answered"]], "cut at {cut}");
    }
}

#[tokio::test]
async fn a_damaged_open_block_gives_what_is_whole_and_is_kept() {
    let dir = TempDir::new().unwrap();
    let spool = open(dir.path());
    spool.append(frame("a")).await.unwrap();
    let first =
        usize::try_from(fs::metadata(file_path(dir.path(), 0, OPEN)).unwrap().len()).unwrap();
    spool.append(frame("b")).await.unwrap();
    drop(spool);
    let path = file_path(dir.path(), 0, OPEN);
    let mut bytes = fs::read(&path).unwrap();
    bytes[first + 10] ^= 1;
    bytes.extend_from_slice(b"and more");
    fs::write(&path, &bytes).unwrap();
    let (spool, found) = Spool::open(dir.path(), limits(), Durability::Process).unwrap();
    assert_eq!(blocks(&spool), [vec!["a"]]);
    assert_eq!(fs::read(&found.damaged[0]).unwrap(), bytes);
}

#[tokio::test]
async fn a_damaged_sealed_block_is_set_aside_whole() {
    let dir = TempDir::new().unwrap();
    let spool = open(dir.path());
    spool.append(frame("a")).await.unwrap();
    spool.seal();
    let path = file_path(dir.path(), 0, SEALED);
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, &bytes).unwrap();
    let sealed = spool.oldest().unwrap();
    assert!(spool.read(sealed).unwrap().is_err());
    let kept = spool.set_aside_damaged(sealed).unwrap();
    assert!(!kept.may_be_in);
    assert_eq!(fs::read(kept.file).unwrap(), bytes);
    assert_eq!(spool.oldest(), None);
    assert_eq!(spool.fill().0, bytes.len() as u64, "what is set aside still counts");
}

#[tokio::test]
async fn a_sealed_block_that_was_cut_at_a_frames_end_is_damaged() {
    let dir = TempDir::new().unwrap();
    let spool = open(dir.path());
    spool.append(frame("a")).await.unwrap();
    let first = fs::metadata(file_path(dir.path(), 0, OPEN)).unwrap().len();
    spool.append(frame("b")).await.unwrap();
    spool.seal();
    let file = OpenOptions::new().write(true).open(file_path(dir.path(), 0, SEALED)).unwrap();
    file.set_len(first).unwrap();
    assert!(spool.read(spool.oldest().unwrap()).unwrap().is_err());
}

/// What the drain would see of a spool found at a start, block by block; `None` of a damaged one.
fn found_blocks(dir: &Path) -> Vec<Option<Vec<String>>> {
    let spool = open(dir);
    let mut blocks = Vec::new();
    while let Some(sealed) = spool.oldest() {
        match spool.read(sealed).unwrap() {
            Ok(block) => {
                let text = |row: &[u8]| String::from_utf8(row[1..].to_vec()).unwrap();
                blocks.push(Some(block.rows(Table::Events).map(text).collect()));
                spool.remove(sealed).unwrap();
            }
            Err(_) => {
                blocks.push(None);
                spool.set_aside_damaged(sealed).unwrap();
            }
        }
    }
    blocks
}

/// The bytes of a sealed block with these rows, each in a frame, and where its last frame begins.
async fn sealed_bytes(dir: &Path, texts: &[&str]) -> (Vec<u8>, usize) {
    let spool = open(dir);
    let mut last = 0;
    for text in texts {
        last = fs::metadata(file_path(dir, 0, OPEN)).map_or(0, |meta| meta.len());
        spool.append(frame(text)).await.unwrap();
    }
    spool.seal();
    let bytes = fs::read(file_path(dir, 0, SEALED)).unwrap();
    (bytes, usize::try_from(last).unwrap())
}

#[tokio::test]
async fn a_sealed_block_torn_by_a_power_loss_loses_only_the_frame_it_is_torn_in() {
    let dir = TempDir::new().unwrap();
    let (whole, last) = sealed_bytes(dir.path(), &["synced", "torn"]).await;
    let path = file_path(dir.path(), 0, SEALED);
    for cut in last..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let found = found_blocks(dir.path());
        assert_eq!(found, [Some(vec!["synced".to_owned()])], "cut at {cut}");
        // The file has grown already, and its last bytes were never written.
        let mut grown = whole[..last].to_vec();
        grown.resize(whole.len(), 0);
        fs::write(&path, grown).unwrap();
        assert_eq!(found_blocks(dir.path()), [Some(vec!["synced".to_owned()])]);
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "only the lock is left");
}

#[tokio::test]
async fn a_torn_block_is_the_same_insert_at_every_start() {
    let dir = TempDir::new().unwrap();
    let (whole, _) = sealed_bytes(dir.path(), &["synced", "torn"]).await;
    fs::write(file_path(dir.path(), 0, SEALED), &whole[..whole.len() - 5]).unwrap();
    let name = || {
        let spool = open(dir.path());
        let sealed = spool.oldest().unwrap();
        let names = [(); 2].map(|()| spool.read(sealed).unwrap().unwrap().name().to_owned());
        assert_eq!(names[0], names[1], "a retry");
        names[0].clone()
    };
    assert_eq!(name(), name());
}

#[tokio::test]
async fn a_hurt_frame_of_the_last_run_keeps_nothing_out_that_is_whole_before_it() {
    let dir = TempDir::new().unwrap();
    let (whole, last) = sealed_bytes(dir.path(), &["a", "b"]).await;
    let path = file_path(dir.path(), 0, SEALED);
    // With the second frame nothing but its own row is lost, with the first one all.
    for (at, found) in [(last - 1, None), (last, Some("a")), (whole.len() - 1, Some("a"))] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&path, bytes).unwrap();
        let found = found.map(|text| vec![text.to_owned()]);
        assert_eq!(found_blocks(dir.path()), [found], "flipped at {at}");
    }
}

#[tokio::test]
async fn a_block_that_was_tried_is_not_cut() {
    let dir = TempDir::new().unwrap();
    let (whole, _) = sealed_bytes(dir.path(), &["a", "b"]).await;
    let path = file_path(dir.path(), 0, SEALED);
    let block = Block::read(whole.clone()).unwrap();
    let journal = file_path(dir.path(), 0, JOURNAL);
    Journal::open(journal, &block).unwrap().refuse(Table::Events, &(0..2)).unwrap();
    fs::write(&path, &whole[..whole.len() - 5]).unwrap();
    assert_eq!(found_blocks(dir.path()), [None]);
}

#[tokio::test]
async fn what_is_whole_of_a_damaged_file_can_be_put_in_by_hand() {
    let dir = TempDir::new().unwrap();
    let spool = open(dir.path());
    spool.append(frame("a")).await.unwrap();
    spool.append(frame("b")).await.unwrap();
    spool.seal();
    let path = file_path(dir.path(), 0, SEALED);
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    let sealed = spool.oldest().unwrap();
    assert!(spool.read(sealed).unwrap().is_err());
    let kept = spool.set_aside_damaged(sealed).unwrap();
    drop(spool);
    // As docs/OPERATING.md says.
    fs::rename(kept.file, file_path(dir.path(), 0, OPEN)).unwrap();
    assert_eq!(found_blocks(dir.path()), [Some(vec!["a".to_owned()])]);
}

#[tokio::test]
async fn full_means_refused_and_room_means_taken_again() {
    let dir = TempDir::new().unwrap();
    let limits = Limits { bytes_max: 4096, block_rows_max: 1, ..limits() };
    let (spool, _) = Spool::open(dir.path(), limits, Durability::Process).unwrap();
    let mut taken = 0;
    while spool.append(frame(&"x".repeat(500))).await.is_ok() {
        taken += 1;
        assert!(taken < 100, "4096 bytes are never full");
    }
    assert!(taken > 0);
    assert!(matches!(spool.append(frame(&"x".repeat(500))).await, Err(AppendError::Full)));
    assert_eq!(blocks(&spool).len(), taken);
    spool.append(frame("again")).await.unwrap();
}

#[tokio::test]
async fn with_disk_durability_every_append_waits_for_a_sync() {
    let dir = TempDir::new().unwrap();
    let (spool, _) = Spool::open(dir.path(), limits(), Durability::Disk).unwrap();
    let spool = Arc::new(spool);
    // Nobody syncs yet, so the append cannot end.
    let early = tokio::time::timeout(Duration::from_millis(50), spool.append(frame("a"))).await;
    assert!(early.is_err());
    let syncing = tokio::spawn({
        let spool = Arc::clone(&spool);
        async move { spool.sync_on_demand().await }
    });
    for text in ["b", "c", "d"] {
        spool.append(frame(text)).await.unwrap();
    }
    syncing.abort();
    spool.seal();
    assert_eq!(blocks(&spool), [vec!["a", "b", "c"], vec!["d"]]);
}

/// The open block, written to and synced by another handle from now on.
fn replace_handle(spool: &Spool, file: File) {
    spool.state().open.as_mut().unwrap().file = Arc::new(file);
}

#[tokio::test]
async fn a_block_ended_by_a_write_that_failed_is_synced_for_those_who_wait() {
    let dir = TempDir::new().unwrap();
    let (spool, _) = Spool::open(dir.path(), limits(), Durability::Disk).unwrap();
    spool.write(&mut frame("waits")).unwrap();
    // Neither a write nor a cut works with it.
    replace_handle(&spool, File::open(file_path(dir.path(), 0, OPEN)).unwrap());
    assert!(spool.write(&mut frame("refused")).is_err());
    assert_eq!(spool.state().unsynced.len(), 1);
    assert_eq!(blocks(&spool), [vec!["waits"]]);
}

#[tokio::test]
async fn nothing_is_written_behind_what_the_disk_did_not_take() {
    let dir = TempDir::new().unwrap();
    let (spool, _) = Spool::open(dir.path(), limits(), Durability::Disk).unwrap();
    let spool = Arc::new(spool);
    let syncing = tokio::spawn({
        let spool = Arc::clone(&spool);
        async move { spool.sync_on_demand().await }
    });
    spool.append(frame("a")).await.unwrap();
    // It takes bytes, and cannot be synced.
    let (_reader, writer) = io::pipe().unwrap();
    replace_handle(&spool, File::from(OwnedFd::from(writer)));
    assert!(spool.append(frame("lost")).await.is_err());
    spool.append(frame("b")).await.unwrap();
    assert_eq!(spool.state().open.as_ref().unwrap().sequence, 1);
    syncing.abort();
}

#[test]
fn two_collectors_cannot_share_a_spool() {
    let dir = TempDir::new().unwrap();
    let _first = open(dir.path());
    let second = Spool::open(dir.path(), limits(), Durability::Process);
    assert!(matches!(second, Err(StartError::SpoolInUse { .. })));
}
