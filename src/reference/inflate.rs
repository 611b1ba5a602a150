//! Bodies that came compressed, made readable as they come.

use flate2::write::{GzDecoder, ZlibDecoder};
use std::io::{self, Write as _};

/// A decoder for one body.
pub(super) enum Inflate {
    /// Nothing to do.
    Plain,
    /// `gzip`.
    Gzip(GzDecoder<Vec<u8>>),
    /// `deflate`.
    Deflate(ZlibDecoder<Vec<u8>>),
    /// An encoding that is not known: what comes cannot be read.
    Unknown,
}

impl Inflate {
    /// The decoder for a `Content-Encoding`.
    pub(super) fn of(encoding: Option<&str>) -> Self {
        match encoding.map(str::trim) {
            None | Some("" | "identity") => Self::Plain,
            Some("gzip" | "x-gzip") => Self::Gzip(GzDecoder::new(Vec::new())),
            Some("deflate") => Self::Deflate(ZlibDecoder::new(Vec::new())),
            Some(_) => Self::Unknown,
        }
    }

    /// What the next piece adds.
    pub(super) fn push(&mut self, piece: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Plain => Ok(piece.to_vec()),
            Self::Gzip(decoder) => {
                decoder.write_all(piece)?;
                decoder.flush()?;
                Ok(std::mem::take(decoder.get_mut()))
            }
            Self::Deflate(decoder) => {
                decoder.write_all(piece)?;
                decoder.flush()?;
                Ok(std::mem::take(decoder.get_mut()))
            }
            Self::Unknown => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_in_any_pieces_is_read() {
        let text = "a body that was compressed ".repeat(50);
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        let packed = encoder.finish().unwrap();
        let mut inflate = Inflate::of(Some("gzip"));
        let read: Vec<u8> = packed.chunks(7).flat_map(|piece| inflate.push(piece).unwrap()).collect();
        assert_eq!(read, text.as_bytes());
        assert_eq!(Inflate::of(None).push(b"plain").unwrap(), b"plain");
        assert!(Inflate::of(Some("br")).push(b"?").is_err());
    }
}
