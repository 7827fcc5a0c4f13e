//! An answer nobody here knows, given of one block again and again.

use super::super::failure::unknown_code;
use super::super::split::Again;
use crate::spool::SealedBlock;

/// How often the same is said of the same block until it counts as said of its rows. Up to
/// [`RETRY_MAX`](super::RETRY_MAX) is waited between two tries, so these are three to five minutes: longer
/// than a restart or an overload, and much shorter than it takes a spool to fill.
const TIMES: u32 = 60;

/// What ClickHouse has said of the block that goes in now. Some of its codes mean bad rows and some pass; of
/// the others it is not known, and were they waited out for ever, one row could stop all that come after it.
#[derive(Debug, Default)]
pub(super) struct Insistence {
    said: Option<(u64, u32)>,
    times: u32,
}

impl Insistence {
    /// An insert of the block failed. Whatever is no unknown answer says nothing of it.
    pub(super) fn heard(&mut self, block: SealedBlock, again: &Again) {
        let Some(code) = unknown_code(again) else { return };
        let said = Some((block.sequence, code));
        self.times = if self.said == said { self.times + 1 } else { 1 };
        self.said = said;
        if self.times == TIMES {
            tracing::error!(
                block = block.sequence,
                code,
                "ClickHouse answers the same for minutes, now the rows are looked for that it is about"
            );
        }
    }

    /// The code that from now on counts as a refusal of the block's rows.
    pub(super) fn refusal_of(&self, block: SealedBlock) -> Option<u32> {
        let (of, code) = self.said?;
        (self.times >= TIMES && of == block.sequence).then_some(code)
    }
}
