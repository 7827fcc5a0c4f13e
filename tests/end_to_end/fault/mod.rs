//! Faults on command: the real collector and the real ClickHouse, with a load between them that
//! remembers what it was answered.

mod clickhouse_ends;
#[cfg(target_os = "linux")]
mod clock;
mod collector_ends;
mod disk_full;
mod geo_file;
mod house;
mod load;
mod spool_file;

use std::time::Duration;

use house::House;
use load::Load;

/// How long a busy machine may take.
const PATIENCE: Duration = Duration::from_secs(90);
