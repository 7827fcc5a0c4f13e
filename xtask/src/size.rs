//! `cargo xtask size`: what is shipped, in bytes, and how long it takes to build. Numbers only.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::{build, fetch, place};

/// What a page downloads before the tracker runs.
const TRACKER: &str = "tracker.js";
/// The same in two: what the streaming form downloads.
const STREAMING: [&str; 2] = ["tracker.stream.js", "tracker.wasm"];
/// The most that a page may have to download, loader, glue and WebAssembly in one.
const BUDGET: Sizes = Sizes { raw: usize::MAX, gzip: 10 * 1024, brotli: 9 * 1024 };
/// The folder of the optional parts, of which a page downloads what its site has switched on.
const PARTS: &str = "parts";
/// The most that each of them may be.
const PART_BUDGET: Sizes = Sizes { raw: usize::MAX, gzip: 3 * 1024, brotli: 3 * 1024 };

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

        downloads()?;
        let program = target.join("release/footfall");
        let bytes = fs::metadata(&program).with_context(|| program.display().to_string())?.len();
        println!("{:24}{bytes:>12}", "footfall");
        let began = if self.clean { "from nothing" } else { "from what was built before" };
        println!("built {began}: tracker {tracker:.1?}, footfall and the shop {footfall:.1?}");
        Ok(())
    }
}

/// Prints what a page downloads; gives that of the one script, and of each part by name.
fn downloads() -> Result<(Sizes, Vec<(String, Sizes)>)> {
    println!("{:24}{:>12}{:>12}{:>12}", "bytes", "raw", "gzip -9", "brotli 11");
    let sizes = |name| Sizes::of(&place::assets().join("sdk").join(name));
    for name in STREAMING {
        sizes(name)?.print(name);
    }
    let whole = sizes(TRACKER)?;
    whole.print(TRACKER);
    let mut parts = Vec::new();
    for file in fs::read_dir(place::assets().join("sdk").join(PARTS))? {
        let path = file?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        parts.push((format!("{PARTS}/{name}"), Sizes::of(&path)?));
    }
    parts.sort_by(|(one, _), (other, _)| one.cmp(other));
    parts.iter().for_each(|(name, sizes)| sizes.print(name));
    Ok((whole, parts))
}

/// Fails where a page would have to download more than it should.
pub(crate) fn budget() -> Result<()> {
    let (whole, parts) = downloads()?;
    BUDGET.print("at most");
    PART_BUDGET.print("at most, a part");
    ensure!(whole.is_within(&BUDGET), "the tracker has grown over its budget");
    for (name, sizes) in parts {
        ensure!(sizes.is_within(&PART_BUDGET), "{name} has grown over its budget");
    }
    Ok(())
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

#[derive(Debug, PartialEq)]
struct Sizes {
    raw: usize,
    gzip: usize,
    brotli: usize,
}

impl Sizes {
    fn of(file: &Path) -> Result<Self> {
        let content = fs::read(file).with_context(|| file.display().to_string())?;
        // The collector has a compressor start anew there.
        let begins = build::wasm_begins();
        let wasm = content.windows(begins.len()).position(|window| window == begins);
        let (script, wasm) = content.split_at(wasm.unwrap_or(content.len()));
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(script)?;
        gzip.flush()?;
        gzip.write_all(wasm)?;
        let mut brotli = brotli::CompressorWriter::new(Vec::new(), 4096, 11, 22);
        brotli.write_all(&content)?;
        let (gzip, brotli) = (gzip.finish()?.len(), brotli.into_inner().len());
        Ok(Self { raw: content.len(), gzip, brotli })
    }

    const fn is_within(&self, budget: &Self) -> bool {
        self.gzip <= budget.gzip && self.brotli <= budget.brotli
    }

    fn print(&self, name: &str) {
        let raw = if self.raw == usize::MAX { String::new() } else { self.raw.to_string() };
        println!("{name:24}{raw:>12}{:>12}{:>12}", self.gzip, self.brotli);
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
