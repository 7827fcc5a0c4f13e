//! The way out of the spool: block after block, each until it is in or set aside.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use uuid::Uuid;

use super::Sink;
use crate::error::SinkError;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::spool::block::{Block, Damaged, Table};
use crate::spool::{SealedBlock, Spool};

const RETRY_FIRST: Duration = Duration::from_millis(200);
/// An outage may last for days; when it ends, nobody should wait much longer.
const RETRY_MAX: Duration = Duration::from_secs(5);

/// Inserts blocks in their order until told to stop and nothing is left.
pub(crate) async fn drain(
    spool: &Arc<Spool>,
    sink: &impl Sink,
    metrics: &Metrics,
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
        match insert(spool, sealed, sink, metrics).await {
            Ok(()) => {
                health.clickhouse_answered();
                wait = RETRY_FIRST;
            }
            Err(error) => {
                metrics.inserts_retried.inc();
                health.clickhouse_is_away(&chain(&error));
                tokio::time::sleep(with_jitter(wait)).await;
                wait = (wait * 2).min(RETRY_MAX);
            }
        }
    }
}

/// What is tried again.
#[derive(Debug, thiserror::Error)]
enum Again {
    #[error(transparent)]
    Sink(SinkError),
    #[error("cannot read or move the block's file")]
    File(#[source] io::Error),
}

/// Gets the block out of the way: into ClickHouse, or aside.
async fn insert(
    spool: &Arc<Spool>,
    sealed: SealedBlock,
    sink: &impl Sink,
    metrics: &Metrics,
) -> Result<(), Again> {
    let block = match read(spool, sealed).await {
        Ok(Ok(block)) => block,
        Ok(Err(damaged)) => {
            let kept = spool.set_aside_damaged(sealed).map_err(Again::File)?;
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
    match sink.insert(&block).await {
        Ok(()) => {
            for table in Table::ALL {
                metrics.inserted(table, block.rows(table).count() as u64);
            }
            metrics.blocks_inserted.inc();
            tracing::debug!(block = block.sequence, "inserted a block");
            spool.remove(sealed).map_err(Again::File)
        }
        Err(error @ SinkError::Reject(_)) => {
            let reason = chain(&error);
            let kept = spool.set_aside_rejected(sealed, &reason).map_err(Again::File)?;
            metrics.blocks_rejected.inc();
            tracing::error!(file = %kept.display(), %reason, "ClickHouse refuses a block, it is set aside");
            Ok(())
        }
        Err(error) => Err(Again::Sink(error)),
    }
}

async fn read(spool: &Arc<Spool>, sealed: SealedBlock) -> io::Result<Result<Block, Damaged>> {
    let spool = Arc::clone(spool);
    tokio::task::spawn_blocking(move || spool.read(sealed)).await?
}

/// The error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Between half of the time and all of it, so that many collectors do not come back as one.
fn with_jitter(wait: Duration) -> Duration {
    let [byte, ..] = *Uuid::new_v4().as_bytes();
    wait / 2 + wait * u32::from(byte) / 512
}

#[cfg(test)]
mod tests;
