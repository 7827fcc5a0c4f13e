//! The block after the one that goes in now, made ready meanwhile: to have it on the disk, read, checked and
//! turned into columns takes as long as ClickHouse takes for the one before it.

use std::io;
use std::sync::Arc;

use tokio::task::JoinHandle;

use super::Packed;
use crate::spool::block::Damaged;
use crate::spool::{SealedBlock, Spool};

/// A block read, or why it was not.
pub(super) type Made = io::Result<Result<Packed, Damaged>>;

/// At most one block that is made ready, on a thread where that may take its time.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// Only then: two blocks in memory are one too many for an outage, which may last for days.
    is_taken: bool,
    next: Option<(SealedBlock, JoinHandle<Made>)>,
}

impl Ahead {
    /// A block went in.
    pub(super) fn taken(&mut self) {
        self.is_taken = true;
    }

    /// Nobody takes blocks now: lets go of what was made.
    pub(super) fn away(&mut self) {
        *self = Self::default();
    }

    /// Begins with the block after this one, where one waits. The one behind that is synced only: that takes the disk
    /// as long as all else takes the processor, and no memory.
    pub(super) fn begin(&mut self, spool: &Arc<Spool>, now: SealedBlock) {
        if !self.is_taken {
            return;
        }
        self.next = spool.after(now).map(|next| (next, make(spool, next)));
        let behind = self.next.as_ref().and_then(|(next, _)| spool.after(*next));
        if let Some(behind) = behind {
            let spool = Arc::clone(spool);
            drop(tokio::task::spawn_blocking(move || {
                if let Err(error) = spool.on_disk(behind) {
                    tracing::error!(%error, "cannot sync a block");
                }
            }));
        }
    }

    /// The block, from its file where it was not begun with.
    pub(super) async fn take(&mut self, spool: &Arc<Spool>, sealed: SealedBlock) -> Made {
        let begun = self.next.take().filter(|(of, _)| *of == sealed);
        begun.map_or_else(|| make(spool, sealed), |(_, making)| making).await?
    }
}

fn make(spool: &Arc<Spool>, sealed: SealedBlock) -> JoinHandle<Made> {
    let spool = Arc::clone(spool);
    tokio::task::spawn_blocking(move || Ok(spool.read(sealed)?.map(Packed::new)))
}
