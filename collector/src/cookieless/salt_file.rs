//! The file that holds the day's salts: there is always one that is whole, and what is over is overwritten
//! where it lay. On most file systems a deleted file's bytes lie there until others need the room.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// More than a file of salts has: whatever else lies there under its name is not read whole.
const BYTES_MAX: u64 = 4096;

/// Writes the file anew, for its owner alone, or takes it away.
///
/// The new one is on the disk before the old one is touched. Where it cannot be written, the old one loses what
/// is over, and keeps what still holds.
pub(super) fn replace(file: &Path, text: &str) -> io::Result<()> {
    let old = match OpenOptions::new().read(true).write(true).open(file) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if text.is_empty() {
        destroy_left_over(file)?;
        return destroy(file);
    }
    let written = destroy_left_over(file).and_then(|()| write(&place_of_new(file), text));
    let Some(old) = old else {
        written?;
        return put_in_place(file);
    };
    if let Err(error) = written {
        overwrite(&old, text)?;
        return Err(error);
    }
    // A second name, by which a start finds the old one after a crash between the next two steps. Not every file
    // system has it.
    let over = place_of_old(file);
    drop(fs::hard_link(file, &over));
    put_in_place(file)?;
    overwrite(&old, "")?;
    remove(&over)
}

/// Destroys what a crash has left beside the file.
///
/// Before the new one is in its place, the old one's second name is one of the file that still holds: then the
/// name alone goes.
pub(super) fn destroy_left_over(file: &Path) -> io::Result<()> {
    let over = place_of_old(file);
    let old = is_same(file, &over)
        .and_then(|is_same| if is_same { remove(&over) } else { destroy(&over) });
    destroy(&place_of_new(file)).and(old)
}

fn is_same(file: &Path, over: &Path) -> io::Result<bool> {
    let place = |path: &Path| match fs::metadata(path) {
        Ok(meta) => Ok(Some((meta.dev(), meta.ino()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    let over = place(over)?;
    Ok(over.is_some() && over == place(file)?)
}

fn place_of_new(file: &Path) -> PathBuf {
    file.with_extension("new")
}

fn place_of_old(file: &Path) -> PathBuf {
    file.with_extension("over")
}

fn write(new: &Path, text: &str) -> io::Result<()> {
    let mut new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(new)?;
    new.write_all(text.as_bytes())?;
    new.sync_all()
}

fn put_in_place(file: &Path) -> io::Result<()> {
    fs::rename(place_of_new(file), file)?;
    // Before the old one is gone, the disk must know the new one by its name.
    file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Writes noughts over all lines but those that still hold. The file keeps its length, so that no room is needed.
fn overwrite(mut file: &File, still: &str) -> io::Result<()> {
    let mut bytes = Zeroizing::new(Vec::new());
    file.rewind()?;
    file.take(BYTES_MAX).read_to_end(&mut bytes)?;
    // Not the lines' ends: run together with what is over, what holds would be no line the next time.
    for line in bytes.split_mut(|byte| *byte == b'\n') {
        let holds = str::from_utf8(line).is_ok_and(|line| still.lines().any(|s| s == line));
        if !holds {
            line.fill(b'0');
        }
    }
    file.rewind()?;
    file.write_all(&bytes)?;
    file.sync_all()
}

fn destroy(path: &Path) -> io::Result<()> {
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => overwrite(&file, "")?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    remove(path)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
