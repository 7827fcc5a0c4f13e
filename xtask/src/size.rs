//! `cargo xtask size`: what is shipped, in bytes, and how long it takes to build. Numbers only.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::{build, fetch, place};

/// What a page downloads before the tracker runs, in that order.
const TRACKER: [&str; 3] = ["loader.js", "footfall.js", "footfall.wasm"];

#[derive(clap::Args)]
pub(crate) struct Size {
    /// Build from nothing in a folder of its own, so that the times are those of a fresh clone
    #[arg(long)]
    clean: bool,
}

impl Size {
    pub(crate) fn run(self) -> Result<()> {
        let fetched = fetch::fetch()?;
        let target = if self.clean { fresh()? } else { place::target() };
        let tracker = timed(|| build::assets_in(&target, &fetched))?;
        let footfall = timed(|| build::programs_in(&target, true))?;

        println!("{:16}{:>12}{:>12}{:>12}", "bytes", "raw", "gzip -9", "brotli 11");
        let mut total = Sizes::default();
        for name in TRACKER {
            let sizes = Sizes::of(&place::assets().join("sdk").join(name))?;
            sizes.print(name);
            total = total.and(&sizes);
        }
        total.print("tracker");
        let program = target.join("release/footfall");
        let bytes = fs::metadata(&program).with_context(|| program.display().to_string())?.len();
        println!("{:16}{bytes:>12}", "footfall");
        let began = if self.clean { "from nothing" } else { "from what was built before" };
        println!("built {began}: tracker {tracker:.1?}, footfall and the shop {footfall:.1?}");
        Ok(())
    }
}

fn fresh() -> Result<std::path::PathBuf> {
    let target = place::target().join("size");
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }
    Ok(target)
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let began = Instant::now();
    work()?;
    Ok(began.elapsed())
}

#[derive(Debug, Default, PartialEq)]
struct Sizes {
    raw: usize,
    gzip: usize,
    brotli: usize,
}

impl Sizes {
    fn of(file: &Path) -> Result<Self> {
        let content = fs::read(file).with_context(|| file.display().to_string())?;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&content)?;
        let mut brotli = brotli::CompressorWriter::new(Vec::new(), 4096, 11, 22);
        brotli.write_all(&content)?;
        let (gzip, brotli) = (gzip.finish()?.len(), brotli.into_inner().len());
        Ok(Self { raw: content.len(), gzip, brotli })
    }

    fn and(&self, other: &Self) -> Self {
        Self {
            raw: self.raw + other.raw,
            gzip: self.gzip + other.gzip,
            brotli: self.brotli + other.brotli,
        }
    }

    fn print(&self, name: &str) {
        println!("{name:16}{:>12}{:>12}{:>12}", self.raw, self.gzip, self.brotli);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_what_a_browser_would_get() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("script.js");
        fs::write(&file, "console.log('footfall');\n".repeat(1000)).unwrap();
        let sizes = Sizes::of(&file).unwrap();
        assert_eq!(sizes.raw, 25_000);
        // One line and a repetition: both formats say so in under 200 bytes, brotli in fewer.
        assert!(sizes.gzip < 200 && sizes.brotli < sizes.gzip && sizes.brotli > 20, "{sizes:?}");
    }
}
