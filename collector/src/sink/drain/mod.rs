//! The way out of the spool: block after block, each until it is in or set aside.

mod ahead;
mod draining;
mod insistence;
mod packed;

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use uuid::Uuid;

use self::ahead::{Ahead, Made};
pub(crate) use self::draining::Draining;
use self::insistence::Insistence;
pub(crate) use self::packed::Packed;
use super::split::{Again, Placed, Splitter};
use super::{Failure, Sink};
use crate::archive::Keeper;
use crate::error::chain;
use crate::health::Health;
use crate::spool::block::{Block, Damaged};
use crate::spool::{SealedBlock, Spool};

const RETRY_FIRST: Duration = Duration::from_millis(200);
/// An outage may last for days; when it ends, nobody should wait much longer.
const RETRY_MAX: Duration = Duration::from_secs(5);

/// What blocks go out by.
#[derive(Debug)]
pub(crate) struct WayOut<'a, S> {
    pub(crate) spool: &'a Arc<Spool>,
    pub(crate) sink: &'a S,
    pub(crate) splitter: Splitter<'a>,
    pub(crate) archive: &'a Arc<Keeper>,
    pub(crate) health: &'a Health,
}

impl<S: Sink> WayOut<'_, S> {
    /// Inserts blocks in their order until told to stop and nothing is left.
    pub(crate) async fn drain(&self, mut stopping: watch::Receiver<bool>) {
        let mut wait = RETRY_FIRST;
        let (mut ahead, mut insistence) = (Ahead::default(), Insistence::default());
        loop {
            let Some(sealed) = self.spool.oldest() else {
                if *stopping.borrow() {
                    return;
                }
                tokio::select! {
                    () = self.spool.wait_for_seal() => {}
                    _ = stopping.changed() => {}
                }
                continue;
            };
            let packed = ahead.take(self.spool, sealed).await;
            ahead.begin(self.spool, sealed);
            match self.insert(sealed, packed, insistence.refusal_of(sealed)).await {
                Ok(()) => {
                    ahead.taken();
                    self.health.clickhouse_took_rows();
                    self.health.spool_worked();
                    wait = RETRY_FIRST;
                }
                Err(error) => {
                    ahead.away();
                    insistence.heard(sealed, &error);
                    self.splitter.metrics.insert_failed(Failure::of(&error));
                    self.tell(&error);
                    wait = self.until_it_answers(wait).await;
                }
            }
        }
    }

    /// What a failure says of ClickHouse and of the spool's files. That it does not answer at all is told by
    /// whoever reads the sites.
    fn tell(&self, again: &Again) {
        match again {
            Again::Sink(_) => {
                // The block was read, so its files are not what fails.
                self.health.spool_worked();
                self.health.clickhouse_takes_none(&chain(again));
            }
            Again::File(_) => self.health.spool_fails(&chain(again)),
        }
    }

    /// Waits, at least once, and gives how long the next wait would be. While nobody answers, no block is
    /// read and packed in vain: an outage costs next to nothing. It is counted as the insert would be that
    /// is not begun.
    async fn until_it_answers(&self, mut wait: Duration) -> Duration {
        loop {
            tokio::time::sleep(with_jitter(wait)).await;
            wait = (wait * 2).min(RETRY_MAX);
            match self.sink.answers().await {
                Ok(()) => return wait,
                Err(error) => self.splitter.metrics.insert_failed(Failure::of(&error.into())),
            }
        }
    }

    /// Gets the block out of the way: into ClickHouse, or aside.
    async fn insert(
        &self,
        sealed: SealedBlock,
        packed: Made,
        refusal: Option<u32>,
    ) -> Result<(), Again> {
        let (spool, metrics) = (self.spool, self.splitter.metrics);
        let packed = match packed {
            Ok(Ok(packed)) => packed,
            Ok(Err(damaged)) => {
                return Ok(self.leave_damaged(sealed, &damaged)?);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                spool.forget(sealed);
                metrics.blocks_damaged.inc();
                tracing::error!(
                    block = sealed.sequence,
                    "a spool file is gone, its events are lost unless it comes back"
                );
                return Ok(());
            }
            Err(error) => return Err(Again::File(error)),
        };
        let journal = spool.journal(sealed, &packed.block)?;
        let placed = self.splitter.place(&packed, journal, self.sink, refusal).await?;
        self.health.clickhouse_took_rows();
        match placed {
            Placed::In { bad_rows } => {
                metrics.blocks_inserted.inc();
                tracing::debug!(block = sealed.sequence, bad_rows, "inserted a block");
                let (cut_bytes, is_damaged) = (packed.block.cut_bytes, packed.block.is_damaged);
                self.keep(sealed, packed.block, bad_rows).await?;
                Ok(self.take_away(sealed, cut_bytes, is_damaged)?)
            }
            Placed::Stuck { reason } => {
                let kept = spool.set_aside_rejected(sealed, &reason)?;
                metrics.blocks_rejected.inc();
                tracing::error!(file = %kept.display(), %reason, "a block cannot go in whole, what is left of it is set aside");
                Ok(())
            }
        }
    }

    /// Takes a block away that is in, as far as it was whole: what is damaged of it stays to be looked at.
    fn take_away(&self, sealed: SealedBlock, cut_bytes: usize, is_damaged: bool) -> io::Result<()> {
        if !is_damaged {
            if cut_bytes > 0 {
                tracing::warn!(
                    block = sealed.sequence,
                    bytes = cut_bytes,
                    "a spool file ended inside a request's rows, as after a power loss: what was whole of it is in"
                );
            }
            return self.spool.remove(sealed);
        }
        let kept = self.spool.set_aside_damaged(sealed)?;
        self.splitter.metrics.blocks_damaged.inc();
        tracing::error!(
            file = %kept.file.display(),
            bytes = cut_bytes,
            "a spool file is damaged, what is whole of it is inserted"
        );
        Ok(())
    }

    /// Sets a block aside of which nothing can be told from noise, or that was tried when it was another.
    fn leave_damaged(&self, sealed: SealedBlock, damaged: &Damaged) -> io::Result<()> {
        let kept = self.spool.set_aside_damaged(sealed)?;
        self.splitter.metrics.blocks_damaged.inc();
        let file = kept.file.display();
        if kept.may_be_in {
            tracing::error!(%file, %damaged, "a spool file is damaged, it is set aside and not inserted; part of it may be in");
        } else {
            tracing::error!(%file, %damaged, "a spool file is damaged, it is set aside and not inserted");
        }
        Ok(())
    }

    /// Keeps a block in the archive, where one is wanted. After a crash before the block is removed it is
    /// kept twice, which a replay does not mind.
    async fn keep(&self, sealed: SealedBlock, block: Block, bad_rows: usize) -> io::Result<()> {
        if !self.archive.is_wanted() {
            return Ok(());
        }
        let journal = (bad_rows > 0).then(|| self.spool.journal(sealed, &block)).transpose()?;
        let archive = Arc::clone(self.archive);
        let keeping = move || archive.keep(&block, journal.as_ref(), SystemTime::now());
        Ok(tokio::task::spawn_blocking(keeping).await?)
    }
}

/// Between half of the time and all of it, so that many collectors do not come back as one.
fn with_jitter(wait: Duration) -> Duration {
    let [byte, ..] = *Uuid::new_v4().as_bytes();
    wait / 2 + wait * u32::from(byte) / 512
}

#[cfg(test)]
mod tests;
