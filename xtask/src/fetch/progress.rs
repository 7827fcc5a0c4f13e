//! How far a download is, which npm does not say: what lies on the disk so far.

use std::fs;
use std::io::IsTerminal;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

/// How often the folder is measured; a few hundred files, under a millisecond.
const LOOK: Duration = Duration::from_millis(200);
/// How often a line is printed where there is no terminal to draw on.
const LINE: Duration = Duration::from_secs(5);

/// Shows how a folder grows towards `expected` bytes until the process that fills it ends.
pub(super) fn of_folder(
    child: &mut Child,
    folder: &Path,
    what: &str,
    expected: u64,
) -> Result<ExitStatus> {
    println!("fetching {what}");
    let bar = bar(expected)?;
    let mut printed = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        let bytes = size(folder).min(expected);
        bar.set_position(bytes);
        if bar.is_hidden() && printed.elapsed() > LINE {
            println!("  {} of about {} MB", bytes / 1_000_000, expected / 1_000_000);
            printed = Instant::now();
        }
        std::thread::sleep(LOOK);
    };
    bar.finish_and_clear();
    Ok(status)
}

fn bar(expected: u64) -> Result<ProgressBar> {
    if !std::io::stderr().is_terminal() {
        return Ok(ProgressBar::hidden());
    }
    let style = ProgressStyle::with_template(
        "  {bar:40} {decimal_bytes} of about {decimal_total_bytes}, {elapsed}",
    )?;
    Ok(ProgressBar::new(expected).with_style(style))
}

/// Bytes in a folder while someone writes to it: what vanishes between two looks counts nothing.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
