//! Compressed bodies. What comes out is capped while it is made: a bomb costs no more than the
//! largest body that is taken.

use std::io::{self, Read};

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::bufread::GzDecoder;
use hyper::header::{CONTENT_ENCODING, HeaderMap};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use wire::limits::BODY_BYTES_MAX;

use crate::error::Rejection;
use crate::validate::cut;

/// What a decoder looks back on, at most: what RFC 9659 (zstd over HTTP) asks of a receiver. Memory
/// is only used as far as bytes have come out, so not more than [`BODY_BYTES_MAX`] and one block.
const ZSTD_WINDOW_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// How much is decoded at a time.
const STEP_BYTES: usize = 16 * 1024;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Gzip,
    Brotli,
    Zstd,
}

impl Encoding {
    /// What is taken, as `Accept-Encoding` says it.
    pub(crate) const ACCEPTED: &str = "gzip, br, zstd";

    /// The body's encoding by its head; `None` where it is not compressed. Several, one upon the
    /// other, are what a bomb has and a sender has not.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Option<Self>, Rejection> {
        let mut lines = headers.get_all(CONTENT_ENCODING).iter();
        let Some(line) = lines.next() else { return Ok(None) };
        let known = match line.as_bytes().trim_ascii().to_ascii_lowercase().as_slice() {
            b"" | b"identity" => Some(None),
            b"gzip" | b"x-gzip" => Some(Some(Self::Gzip)),
            b"br" => Some(Some(Self::Brotli)),
            b"zstd" => Some(Some(Self::Zstd)),
            _ => None,
        };
        let known = known.filter(|_| lines.next().is_none());
        known.ok_or_else(|| {
            let encoding = String::from_utf8_lossy(line.as_bytes());
            Rejection::EncodingNotSupported { encoding: cut(&encoding, 40).to_owned() }
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// The body as it was before it was compressed; nothing may follow its end.
    pub(crate) fn decode(self, sent: &[u8]) -> Result<Vec<u8>, Rejection> {
        match self {
            Self::Gzip => {
                let mut decoder = GzDecoder::new(sent);
                let bytes = self.read_capped(&mut decoder)?;
                self.at_end(decoder.into_inner()).map(|()| bytes)
            }
            Self::Brotli => {
                let mut decoder = Brotli::new(sent);
                let bytes = self.read_capped(&mut decoder)?;
                self.at_end(decoder.rest()).map(|()| bytes)
            }
            Self::Zstd => self.zstd(sent),
        }
    }

    fn read_capped(self, decoder: &mut impl Read) -> Result<Vec<u8>, Rejection> {
        let mut bytes = Vec::new();
        let mut step = [0; STEP_BYTES];
        loop {
            let read = decoder.read(&mut step).map_err(|error| self.broken(&error.to_string()))?;
            let Some(came) = step.get(..read).filter(|came| !came.is_empty()) else {
                return Ok(bytes);
            };
            let whole = bytes.len() + came.len();
            if whole > BODY_BYTES_MAX {
                return Err(Rejection::BodyTooLarge { bytes_max: BODY_BYTES_MAX });
            }
            if whole > bytes.capacity() {
                let room = (2 * bytes.capacity()).clamp(whole, BODY_BYTES_MAX);
                bytes.reserve_exact(room - bytes.len());
            }
            bytes.extend_from_slice(came);
        }
    }

    /// Block by block, because a reader would hold back a whole window first.
    fn zstd(self, mut sent: &[u8]) -> Result<Vec<u8>, Rejection> {
        let too_large = || Rejection::BodyTooLarge { bytes_max: BODY_BYTES_MAX };
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(ZSTD_WINDOW_BYTES_MAX);
        decoder.init(&mut sent).map_err(|error| match error {
            FrameDecoderError::WindowSizeTooBig { .. } => too_large(),
            error => self.broken(zstd_problem(&error)),
        })?;
        if decoder.content_size() > BODY_BYTES_MAX as u64 {
            return Err(too_large());
        }
        let strategy = BlockDecodingStrategy::UptoBytes(BODY_BYTES_MAX + 1);
        let finished = decoder.decode_blocks(&mut sent, strategy);
        if !finished.map_err(|error| self.broken(zstd_problem(&error)))? {
            return Err(too_large());
        }
        let bytes = decoder.collect().unwrap_or_default();
        if bytes.len() > BODY_BYTES_MAX {
            return Err(too_large());
        }
        let told = decoder.get_checksum_from_data();
        if told.is_some() && told != decoder.get_calculated_checksum() {
            return Err(self.broken("the checksum is another"));
        }
        self.at_end(sent).map(|()| bytes)
    }

    fn at_end(self, rest: &[u8]) -> Result<(), Rejection> {
        if rest.is_empty() { Ok(()) } else { Err(self.broken("bytes follow its end")) }
    }

    fn broken(self, problem: &str) -> Rejection {
        Rejection::BodyNotDecoded { encoding: self.name(), problem: cut(problem, 200).to_owned() }
    }
}

/// What is wrong, for a client: the library's own words are the names of its types.
const fn zstd_problem(error: &FrameDecoderError) -> &'static str {
    use FrameDecoderError as Error;
    match error {
        Error::ReadFrameHeaderError(ReadFrameHeaderError::BadMagicNumber(_)) => {
            "it does not begin as zstd does"
        }
        Error::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { .. }) => {
            "it begins with a frame that has no content"
        }
        Error::ReadFrameHeaderError(_) | Error::FrameHeaderError(_) => {
            "its head is cut off or damaged"
        }
        Error::DictNotProvided { .. } => "it was made with a dictionary",
        _ => "it is cut off or damaged",
    }
}

/// The library's own reader takes more than the encoding's end, and does not tell what was behind it.
struct Brotli<'a> {
    sent: &'a [u8],
    read: usize,
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
}

impl<'a> Brotli<'a> {
    /// Strict: windows over 16 MiB are no part of the `br` encoding. The window grows with what comes out.
    fn new(sent: &'a [u8]) -> Self {
        let alloc = StandardAlloc::default;
        Self { sent, read: 0, state: BrotliState::new_strict(alloc(), alloc(), alloc()) }
    }

    fn rest(&self) -> &'a [u8] {
        self.sent.get(self.read..).unwrap_or_default()
    }
}

impl Read for Brotli<'_> {
    fn read(&mut self, step: &mut [u8]) -> io::Result<usize> {
        let (mut unread, mut room) = (self.rest().len(), step.len());
        let (mut written, mut total) = (0, 0);
        let result = BrotliDecompressStream(
            &mut unread,
            &mut self.read,
            self.sent,
            &mut room,
            &mut written,
            step,
            &mut total,
            &mut self.state,
        );
        match result {
            BrotliResult::ResultSuccess | BrotliResult::NeedsMoreOutput => Ok(written),
            BrotliResult::NeedsMoreInput => Err(io::ErrorKind::UnexpectedEof.into()),
            BrotliResult::ResultFailure => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    const ALL: [Encoding; 3] = [Encoding::Gzip, Encoding::Brotli, Encoding::Zstd];

    fn encode(encoding: Encoding, plain: &[u8]) -> Vec<u8> {
        match encoding {
            Encoding::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
                encoder.write_all(plain).unwrap();
                encoder.finish().unwrap()
            }
            Encoding::Brotli => {
                let mut sent = Vec::new();
                brotli::CompressorWriter::new(&mut sent, 4096, 5, 24).write_all(plain).unwrap();
                sent
            }
            Encoding::Zstd => compress_to_vec(plain, CompressionLevel::Fastest),
        }
    }

    /// A gigabyte of nought in 32 KB: a frame with a window of 8 MiB and 8192 blocks of one byte
    /// each, to be repeated 128 Ki times.
    fn zstd_bomb() -> Vec<u8> {
        let mut bomb = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x68];
        for block in 1..=8192_u32 {
            let head = (128 * 1024) << 3 | 1 << 1 | u32::from(block == 8192);
            bomb.extend_from_slice(&head.to_le_bytes()[..3]);
            bomb.push(0);
        }
        bomb
    }

    #[test]
    fn what_was_compressed_comes_out_again() {
        let texts = [&b""[..], b"{}", &b"{\"site\":\"shop\"} ".repeat(5000), &[7; BODY_BYTES_MAX]];
        for (encoding, plain) in ALL.into_iter().flat_map(|e| texts.map(|plain| (e, plain))) {
            let decoded = encoding.decode(&encode(encoding, plain));
            assert!(decoded.as_deref() == Ok(plain), "{encoding:?} of {} bytes", plain.len());
        }
    }

    #[test]
    fn a_bomb_is_put_out_at_the_cap() {
        let zeros = vec![0; 16 * 1024 * 1024];
        let bombs = [
            (Encoding::Gzip, encode(Encoding::Gzip, &zeros)),
            (Encoding::Brotli, encode(Encoding::Brotli, &zeros)),
            (Encoding::Zstd, encode(Encoding::Zstd, &zeros)),
            (Encoding::Zstd, zstd_bomb()),
        ];
        for (encoding, bomb) in bombs {
            assert!(bomb.len() < BODY_BYTES_MAX, "{encoding:?}: {} bytes", bomb.len());
            let told = encoding.decode(&bomb);
            assert_eq!(told, Err(Rejection::BodyTooLarge { bytes_max: BODY_BYTES_MAX }));
        }
        for encoding in ALL {
            let one_more = encode(encoding, &[7; BODY_BYTES_MAX + 1]);
            assert!(matches!(encoding.decode(&one_more), Err(Rejection::BodyTooLarge { .. })));
        }
    }

    #[test]
    fn no_more_than_the_cap_is_allocated_for_what_comes_out() {
        let mut zeros = io::repeat(0).take(BODY_BYTES_MAX as u64);
        let bytes = Encoding::Gzip.read_capped(&mut zeros).unwrap();
        assert_eq!((bytes.len(), bytes.capacity()), (BODY_BYTES_MAX, BODY_BYTES_MAX));
    }

    #[test]
    fn what_is_cut_changed_or_followed_is_not_taken() {
        let plain = b"{\"site\":\"shop\"}".repeat(100);
        for encoding in ALL {
            let whole = encode(encoding, &plain);
            let (cut, longer) = (&whole[..whole.len() - 1], [&whole[..], b"x"].concat());
            for sent in [cut, &longer, &whole[1..], b""] {
                let told = encoding.decode(sent);
                let Err(Rejection::BodyNotDecoded { problem, .. }) = told else {
                    panic!("{encoding:?} of {} bytes", sent.len())
                };
                // In the client's words, and not in the library's.
                assert!(!problem.contains(['(', '{', '_']), "{encoding:?}: {problem}");
            }
        }
    }

    #[test]
    fn only_one_known_encoding_is_understood() {
        let of = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, value.parse().unwrap());
            }
            Encoding::of(&headers)
        };
        assert_eq!(of(&[]), Ok(None));
        assert_eq!(of(&["identity"]), Ok(None));
        assert_eq!(of(&["GZIP"]), Ok(Some(Encoding::Gzip)));
        assert_eq!(of(&["br"]), Ok(Some(Encoding::Brotli)));
        assert_eq!(of(&["zstd"]), Ok(Some(Encoding::Zstd)));
        for values in [&["deflate"][..], &["gzip, gzip"], &["gzip", "gzip"], &["\u{e9}"]] {
            let told = of(values);
            assert!(matches!(told, Err(Rejection::EncodingNotSupported { .. })), "{values:?}");
        }
    }
}
