//! How much is archived, as it is given and as it was checked.

use std::time::Duration;

use clap::Args;

use super::Limits;
use crate::error::StartError;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The archive's flags.
#[derive(Args, Clone, Debug)]
pub(crate) struct ArchiveConfig {
    /// Bytes of rows that are in ClickHouse, kept in the data folder to be replayed (`footfall archive`);
    /// 0 keeps none
    #[arg(long, env = "FOOTFALL_ARCHIVE_BYTES_MAX", default_value_t = 0, value_name = "BYTES")]
    archive_bytes_max: u64,
    /// Days they are kept, if they find room so long; 0 sets no limit
    #[arg(long, env = "FOOTFALL_ARCHIVE_DAYS_MAX", default_value_t = 30, value_name = "DAYS")]
    archive_days_max: u32,
}

impl ArchiveConfig {
    /// Room for two of the largest blocks: less could never keep one beside another.
    pub(crate) fn limits(&self, flush_bytes: u64) -> Result<Limits, StartError> {
        if self.archive_bytes_max > 0 && self.archive_bytes_max / 2 < flush_bytes {
            return Err(StartError::Setting {
                setting: "--archive-bytes-max",
                value: self.archive_bytes_max.to_string(),
                rule: "must be at least twice --flush-bytes, or 0".to_owned(),
            });
        }
        let age_max = (self.archive_days_max > 0).then(|| DAY * self.archive_days_max);
        Ok(Limits { bytes_max: self.archive_bytes_max, age_max })
    }
}
