//! The spool for `benches/spool.rs`, which stands outside of the crate.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::spool::block::Frame;
use crate::spool::{Durability, Limits, Spool};

/// A spool of which nothing is inserted.
#[derive(Clone, Debug)]
pub struct BenchSpool(Arc<Spool>);

impl BenchSpool {
    /// In an empty folder, with the limits that are the collector's own. Must be called on a runtime.
    ///
    /// # Panics
    /// When the folder cannot be used.
    #[must_use]
    pub fn open(folder: &Path, durability: Durability) -> Self {
        let limits = Limits {
            block_rows_max: 50_000,
            block_bytes_max: 16 * 1024 * 1024,
            block_age_max: Duration::from_secs(1),
            bytes_max: 4 * 1024 * 1024 * 1024,
        };
        let (spool, _) = Spool::open(folder, limits, durability).expect("the folder can be used");
        let spool = Arc::new(spool);
        let syncing = Arc::clone(&spool);
        tokio::spawn(async move { syncing.sync_on_demand().await });
        Self(spool)
    }

    /// Appends a request's rows as the pipeline does.
    ///
    /// # Panics
    /// When the spool does not take them.
    pub async fn append(&self, rows: &[u8]) {
        self.0.append(Frame::of_payload(rows)).await.expect("the spool has room");
    }
}
