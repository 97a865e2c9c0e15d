use std::io::{self, Chain, Cursor, Read};

use flate2::read::MultiGzDecoder;

/// What a gzip file starts with (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];

type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

/// The bytes of a backup, whether the file is compressed or not.
pub(super) enum Source<R> {
    Plain(Whole<R>),
    Gzip(Box<MultiGzDecoder<Whole<R>>>),
}

// === impl Source ===

impl<R: Read> Source<R> {
    pub(super) fn new(mut inner: R) -> io::Result<Self> {
        let mut start = Vec::new();
        inner.by_ref().take(2).read_to_end(&mut start)?;
        let is_gzip = start == GZIP;
        let whole = Cursor::new(start).chain(inner);
        Ok(match is_gzip {
            true => Self::Gzip(Box::new(MultiGzDecoder::new(whole))),
            false => Self::Plain(whole),
        })
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(whole) => whole.read(out),
            Self::Gzip(decoder) => decoder.read(out),
        }
    }
}
