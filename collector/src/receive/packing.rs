//! How what pages fetch is compressed.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::header::{self, HeaderMap};

/// Where the WebAssembly begins in the script, as `cargo xtask build` writes it (each byte of `\0asm` with 0x70): a
/// compressor starts anew there.
const WASM_BEGINS: &[u8] = b"\"p\x11\x03\x1d";

/// Where a script's WebAssembly begins; at its end, where it has none.
pub(super) fn wasm_begins(script: &[u8]) -> usize {
    let found = script.windows(WASM_BEGINS.len()).position(|window| window == WASM_BEGINS);
    found.unwrap_or(script.len())
}

/// How a script is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Brotli,
    Gzip,
}

impl Packing {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// The smallest that the browser takes; none where it names none, or with a quality of 0.
    pub(super) fn best(headers: &HeaderMap) -> Option<Self> {
        let accepted = headers.get_all(header::ACCEPT_ENCODING).iter();
        let accepted: Vec<&str> = accepted
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .collect();
        let takes = |packing: &Self| {
            accepted.iter().any(|accepted| {
                let (name, quality) = accepted.split_once(';').unwrap_or((accepted, ""));
                let refused = matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
                name.trim().eq_ignore_ascii_case(packing.name()) && !refused
            })
        };
        [Self::Brotli, Self::Gzip].into_iter().find(takes)
    }

    /// The script and the WebAssembly behind it, each compressed as what it is.
    pub(super) fn pack(self, script: &[u8]) -> io::Result<Bytes> {
        let (script, wasm) = script.split_at(wasm_begins(script));
        let packed = match self {
            Self::Brotli => {
                let mut brotli = brotli::CompressorWriter::new(Vec::new(), 4096, 11, 22);
                brotli.write_all(script)?;
                brotli.write_all(wasm)?;
                brotli.into_inner()
            }
            Self::Gzip => {
                let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
                gzip.write_all(script)?;
                gzip.flush()?;
                gzip.write_all(wasm)?;
                gzip.finish()?
            }
        };
        Ok(packed.into())
    }
}
