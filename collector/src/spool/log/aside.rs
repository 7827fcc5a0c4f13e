//! Blocks that somebody has to look at, out of the others' way.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{DAMAGED, JOURNAL, SEALED, SealedBlock, Spool, file_path};

/// A block set aside.
#[derive(Debug)]
pub(crate) struct Aside {
    pub(crate) file: PathBuf,
    /// Whether a journal lies beside it: of a block that was refused, some parts may be in.
    pub(crate) may_be_in: bool,
}

impl Spool {
    /// Keeps a block that ClickHouse refuses in `rejected/`, with the reason beside it. Its bytes
    /// still count, so that what is set aside is bounded too.
    pub(crate) fn set_aside_rejected(
        &self,
        sealed: SealedBlock,
        reason: &str,
    ) -> io::Result<PathBuf> {
        let rejected = self.dir.join("rejected");
        fs::create_dir_all(&rejected)?;
        // The instance keeps blocks of several runs apart.
        let name = format!("{:016}-{}", sealed.sequence, self.instance);
        fs::write(rejected.join(format!("{name}.reason.txt")), reason)?;
        Ok(self.set_aside(sealed, &rejected.join(format!("{name}.{SEALED}")))?.file)
    }

    /// Keeps a block whose file is damaged beside the others, out of their way.
    pub(crate) fn set_aside_damaged(&self, sealed: SealedBlock) -> io::Result<Aside> {
        let name = format!("{:016}-{}.{DAMAGED}", sealed.sequence, self.instance);
        self.set_aside(sealed, &self.dir.join(name))
    }

    fn set_aside(&self, sealed: SealedBlock, to: &Path) -> io::Result<Aside> {
        // What of the block is in already must be known when it is put back. A copy: until the block is away, it goes
        // by its journal.
        let journal = file_path(&self.dir, sealed.sequence, JOURNAL);
        let may_be_in = journal.exists();
        if may_be_in {
            fs::copy(&journal, to.with_extension(JOURNAL))?;
        }
        fs::rename(file_path(&self.dir, sealed.sequence, sealed.suffix), to)?;
        self.state().waiting.retain(|waiting| waiting.sequence != sealed.sequence);
        if may_be_in && let Err(error) = fs::remove_file(journal) {
            tracing::warn!(%error, "a journal without its block stays until the next start");
        }
        Ok(Aside { file: to.to_owned(), may_be_in })
    }
}
