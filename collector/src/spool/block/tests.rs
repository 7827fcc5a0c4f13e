//! Whole, cut and changed blocks.

use proptest::prelude::*;

use super::*;

/// A block's bytes with so many requests of two rows, and where each frame ends.
pub(crate) fn block_bytes(requests: u8) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = Header::bytes(Uuid::from_u128(7), 3);
    let mut ends = vec![bytes.len()];
    for request in 0..requests {
        let mut frame = Frame::default();
        frame.push(Table::Events, &format!("event {request}")).unwrap();
        frame.push(Table::Identifiers, &format!("identifier {request}")).unwrap();
        bytes.extend_from_slice(frame.finish());
        ends.push(bytes.len());
    }
    (bytes, ends)
}

#[test]
fn reads_back_what_was_written_in_order() {
    let (bytes, _) = block_bytes(2);
    let block = Block::read(bytes).unwrap();
    let events: Vec<_> = block.rows(Table::Events).collect();
    assert_eq!(events, [&b"\x07event 0"[..], &b"\x07event 1"[..]]);
    assert_eq!(block.rows(Table::BotEvents).count(), 0);
    assert_eq!(block.columns(Table::BotEvents), <EventRow>::COLUMN_NAMES);
    assert_eq!(block.columns(Table::Identifiers), IdentifierRow::COLUMN_NAMES);
}

#[test]
fn the_token_is_the_same_for_the_same_bytes_and_another_for_each_table() {
    let token = |requests| Block::read(block_bytes(requests).0).unwrap().token(Table::Events);
    assert_eq!(token(2), token(2));
    assert_ne!(token(2), token(3));
    let block = Block::read(block_bytes(2).0).unwrap();
    assert_ne!(block.token(Table::Events), block.token(Table::BotEvents));
}

#[test]
fn a_file_cut_at_any_byte_keeps_every_whole_frame() {
    let (bytes, ends) = block_bytes(5);
    for cut in 0..bytes.len() {
        let extent = measure(&bytes[..cut]);
        let whole = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(extent.payloads.len(), whole, "cut at {cut}");
        assert_ne!(extent.tail, Tail::Damaged, "cut at {cut}");
        assert_eq!(extent.tail == Tail::None, cut == 8 || ends.contains(&cut), "cut at {cut}");
    }
}

#[test]
fn a_last_frame_that_is_all_there_and_changed_was_perhaps_answered() {
    let (mut bytes, ends) = block_bytes(3);
    *bytes.last_mut().unwrap() ^= 1;
    let extent = measure(&bytes);
    assert_eq!((extent.intact_bytes, extent.tail), (ends[2], Tail::Damaged));
}

#[test]
fn a_changed_length_is_not_taken_for_a_write_that_broke_off() {
    let (bytes, ends) = block_bytes(4);
    for start in [MAGIC.len(), ends[0], ends[1], ends[3]] {
        for bit in 0..32 {
            let mut bytes = bytes.clone();
            bytes[start + bit / 8] ^= 1 << (bit % 8);
            let extent = measure(&bytes);
            assert_eq!((extent.intact_bytes, extent.tail), (start, Tail::Damaged), "{bit}");
        }
    }
}

#[test]
fn zeros_after_a_power_loss_are_a_torn_tail() {
    let (mut bytes, ends) = block_bytes(2);
    bytes.extend_from_slice(&[0; 4096]);
    let extent = measure(&bytes);
    assert_eq!((extent.intact_bytes, extent.tail), (ends[2], Tail::Torn));
}

proptest! {
    #[test]
    fn a_flipped_bit_is_never_read_as_data(at in 0_usize..400, bit in 0_u8..8) {
        let (mut bytes, _) = block_bytes(6);
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        prop_assert!(Block::read(bytes).is_err());
    }

    #[test]
    fn any_bytes_are_measured_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let extent = measure(&bytes);
        prop_assert!(extent.intact_bytes <= bytes.len());
    }
}
