//! The way out of the spool: block after block, each until it is in or set aside.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use uuid::Uuid;

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

/// Inserts blocks in their order until told to stop and nothing is left.
pub(crate) async fn drain(
    spool: &Arc<Spool>,
    sink: &impl Sink,
    splitter: Splitter<'_>,
    archive: &Arc<Keeper>,
    health: &Health,
    mut stopping: watch::Receiver<bool>,
) {
    let mut wait = RETRY_FIRST;
    loop {
        let Some(sealed) = spool.oldest() else {
            if *stopping.borrow() {
                return;
            }
            tokio::select! {
                () = spool.wait_for_seal() => {}
                _ = stopping.changed() => {}
            }
            continue;
        };
        match insert(spool, sealed, sink, splitter, archive).await {
            Ok(()) => {
                health.clickhouse_answered();
                wait = RETRY_FIRST;
            }
            Err(error) => {
                splitter.metrics.insert_failed(Failure::of(&error));
                health.clickhouse_is_away(&chain(&error));
                wait = until_it_answers(sink, splitter, wait).await;
            }
        }
    }
}

/// Waits, at least once, and gives how long the next wait would be. While nobody answers, no block is
/// read and packed in vain: an outage costs next to nothing. It is counted as the insert would be that
/// is not begun.
async fn until_it_answers(
    sink: &impl Sink,
    splitter: Splitter<'_>,
    mut wait: Duration,
) -> Duration {
    loop {
        tokio::time::sleep(with_jitter(wait)).await;
        wait = (wait * 2).min(RETRY_MAX);
        match sink.answers().await {
            Ok(()) => return wait,
            Err(error) => splitter.metrics.insert_failed(Failure::of(&error.into())),
        }
    }
}

/// Gets the block out of the way: into ClickHouse, or aside.
async fn insert(
    spool: &Arc<Spool>,
    sealed: SealedBlock,
    sink: &impl Sink,
    splitter: Splitter<'_>,
    archive: &Arc<Keeper>,
) -> Result<(), Again> {
    let metrics = splitter.metrics;
    let block = match read(spool, sealed).await {
        Ok(Ok(block)) => block,
        Ok(Err(damaged)) => {
            let kept = spool.set_aside_damaged(sealed)?;
            metrics.blocks_damaged.inc();
            tracing::error!(file = %kept.display(), %damaged, "a spool file is damaged, it is set aside and not inserted");
            return Ok(());
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
    match splitter.place(&block, spool.journal(&block)?, sink).await? {
        Placed::In { bad_rows } => {
            metrics.blocks_inserted.inc();
            tracing::debug!(block = block.sequence, bad_rows, "inserted a block");
            keep(spool, archive, block, bad_rows).await?;
            Ok(spool.remove(sealed)?)
        }
        Placed::Stuck { reason } => {
            let kept = spool.set_aside_rejected(sealed, &reason)?;
            metrics.blocks_rejected.inc();
            tracing::error!(file = %kept.display(), %reason, "a block cannot go in whole, what is left of it is set aside");
            Ok(())
        }
    }
}

/// Keeps a block in the archive, where one is wanted. After a crash before the block is removed it is kept
/// twice, which a replay does not mind.
async fn keep(
    spool: &Arc<Spool>,
    archive: &Arc<Keeper>,
    block: Block,
    bad_rows: usize,
) -> io::Result<()> {
    if !archive.is_wanted() {
        return Ok(());
    }
    let journal = (bad_rows > 0).then(|| spool.journal(&block)).transpose()?;
    let archive = Arc::clone(archive);
    let keeping = move || archive.keep(&block, journal.as_ref(), SystemTime::now());
    Ok(tokio::task::spawn_blocking(keeping).await?)
}

async fn read(spool: &Arc<Spool>, sealed: SealedBlock) -> io::Result<Result<Block, Damaged>> {
    let spool = Arc::clone(spool);
    tokio::task::spawn_blocking(move || spool.read(sealed)).await?
}

/// Between half of the time and all of it, so that many collectors do not come back as one.
fn with_jitter(wait: Duration) -> Duration {
    let [byte, ..] = *Uuid::new_v4().as_bytes();
    wait / 2 + wait * u32::from(byte) / 512
}

#[cfg(test)]
mod tests;
