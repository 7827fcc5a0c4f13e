//! The key by which links are signed: a file that only its owner may read.

use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::{fmt, fs};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use wire::SiteName;

/// Fewer bytes could be guessed.
const KEY_BYTES_MIN: usize = 32;
/// More are of no use, and the file is another one than was meant.
const KEY_BYTES_MAX: u64 = 4096;

/// A key shorter than a block of the hash ends in noughts (RFC 2104, 2.).
const HMAC_BLOCK_BYTES: usize = 64;

/// What a site's key for its domains is made of begins so: no signature of a link's ever does.
pub(super) const DOMAINS_PURPOSE: &[u8] = b"footfall domains 1\0";
/// Bytes of that key: half of the digest, as in a link.
const DOMAINS_KEY_BYTES: usize = 16;

pub(super) type HmacSha256 = Hmac<Sha256>;

/// Signs links, and knows those it has signed.
#[derive(Clone)]
pub struct LinkKey(HmacSha256);

impl fmt::Debug for LinkKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(secret)")
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum LinkKeyError {
    /// The file cannot be read, or cannot be made.
    #[error("cannot use the link key {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is empty, or another one than was meant.
    #[error(
        "the link key {} has {bytes} bytes, but {KEY_BYTES_MIN} to {KEY_BYTES_MAX} are needed; make one with `openssl rand -hex 32`",
        path.display()
    )]
    Length {
        /// The file.
        path: PathBuf,
        /// How many there are.
        bytes: u64,
    },
}

impl LinkKey {
    /// The key in the file, or else in the data folder's `link.key`, which is made where it is missing.
    ///
    /// # Errors
    /// When the file cannot be read or made, or holds no key.
    pub fn open(file: Option<&Path>, data_dir: &Path) -> Result<Self, LinkKeyError> {
        if let Some(file) = file {
            return Self::read(file);
        }
        let own = data_dir.join("link.key");
        match Self::read(&own) {
            Err(LinkKeyError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                make(data_dir, &own)
                    .map_err(|source| LinkKeyError::File { path: own.clone(), source })?;
                Self::read(&own)
            }
            read => read,
        }
    }

    fn read(path: &Path) -> Result<Self, LinkKeyError> {
        let at = |source| LinkKeyError::File { path: path.to_owned(), source };
        let length = |bytes| LinkKeyError::Length { path: path.to_owned(), bytes };
        let bytes = fs::metadata(path).map_err(at)?.len();
        if bytes > KEY_BYTES_MAX {
            return Err(length(bytes));
        }
        let key = fs::read(path).map_err(at)?;
        let key = key.trim_ascii();
        if key.len() < KEY_BYTES_MIN {
            return Err(length(key.len() as u64));
        }
        Ok(Self::of(key))
    }

    /// The key made of these bytes: of their hash, so that every length will do.
    pub(crate) fn of(key: &[u8]) -> Self {
        let mut block = [0; HMAC_BLOCK_BYTES];
        block.iter_mut().zip(Sha256::digest(key)).for_each(|(place, byte)| *place = byte);
        Self(HmacSha256::new(&block.into()))
    }

    /// The key by which a site's pages sign whom they take along to the site's other domains, in hexadecimal digits.
    ///
    /// It stands in the site's script, where anyone can read it. Who does so has neither this key nor another site's:
    /// both would be guesses at an HMAC. Collectors with one link key bake the same.
    pub(crate) fn of_domains(&self, site: &SiteName) -> String {
        let digest =
            self.mac().chain_update(DOMAINS_PURPOSE).chain_update(site.as_str()).finalize();
        let digest = digest.into_bytes();
        hex::encode(digest.get(..DOMAINS_KEY_BYTES).unwrap_or_default())
    }

    pub(super) fn mac(&self) -> HmacSha256 {
        self.0.clone()
    }
}

/// Makes a key. Where two programs do so at once, the file of one of them is there for both.
fn make(data_dir: &Path, path: &Path) -> io::Result<()> {
    let mut key = [0; KEY_BYTES_MIN];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(data_dir)?;
    let new = data_dir.join(format!("link.key.{}", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    let written = file.write_all(hex::encode(key).as_bytes()).and_then(|()| file.sync_all());
    // A link and not a rename: it does not replace what is there.
    let linked = written.and_then(|()| match fs::hard_link(&new, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    fs::remove_file(&new)?;
    linked
}
