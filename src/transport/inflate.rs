//! Bodies that came packed, made readable as they come, up to a length: a few bytes can become any number.

use flate2::write::{MultiGzDecoder, ZlibDecoder};
use std::io::{self, Write};

/// A decoder for one body.
pub struct Inflate {
    way: Way,
    begun: bool,
}

enum Way {
    Plain,
    Gzip(MultiGzDecoder<Room>),
    Deflate(ZlibDecoder<Room>),
    /// An encoding that is not known: what comes cannot be read.
    Unknown(String),
}

/// Where what is unpacked goes, until that is too much.
struct Room {
    unpacked: Vec<u8>,
    left: usize,
}

impl Inflate {
    /// The decoder for a `Content-Encoding`, for a body that becomes no longer than the limit.
    pub fn of(encoding: Option<&str>, limit: usize) -> Self {
        let room = Room { unpacked: Vec::new(), left: limit };
        let way = match encoding.map(|encoding| encoding.trim().to_ascii_lowercase()).as_deref() {
            None | Some("" | "identity") => Way::Plain,
            Some("gzip" | "x-gzip") => Way::Gzip(MultiGzDecoder::new(room)),
            Some("deflate") => Way::Deflate(ZlibDecoder::new(room)),
            Some(other) => Way::Unknown(other.to_owned()),
        };
        Self { way, begun: false }
    }

    /// What the next piece adds; why it cannot be read, a fragment.
    pub fn push(&mut self, piece: &[u8]) -> io::Result<Vec<u8>> {
        self.begun = true;
        match &mut self.way {
            Way::Plain => Ok(piece.to_vec()),
            Way::Gzip(decoder) => {
                decoder.write_all(piece)?;
                decoder.flush()?;
                Ok(std::mem::take(&mut decoder.get_mut().unpacked))
            }
            Way::Deflate(decoder) => {
                decoder.write_all(piece)?;
                decoder.flush()?;
                Ok(std::mem::take(&mut decoder.get_mut().unpacked))
            }
            Way::Unknown(encoding) => {
                Err(io::Error::new(io::ErrorKind::InvalidData, format!("it is packed as `{encoding}`")))
            }
        }
    }

    /// Whether that was all, as far as the encoding can tell.
    pub fn end(&mut self) -> io::Result<()> {
        match &mut self.way {
            Way::Gzip(decoder) if self.begun => decoder.try_finish(),
            _ => Ok(()),
        }
    }
}

impl Write for Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(left) = self.left.checked_sub(bytes.len()) else {
            return Err(io::Error::other("it becomes too long when it is unpacked"));
        };
        self.left = left;
        self.unpacked.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_body_in_any_pieces_is_read() {
        let text = "a body that was compressed ".repeat(50);
        // One member after the other is one body.
        let twice = [packed(text.as_bytes()), packed(b"and more")].concat();
        for size in [1, 7, twice.len()] {
            let mut inflate = Inflate::of(Some("GZIP"), 2_000);
            let read: Vec<u8> = twice.chunks(size).flat_map(|piece| inflate.push(piece).unwrap()).collect();
            inflate.end().unwrap();
            assert_eq!(read, format!("{text}and more").as_bytes());
        }
        assert_eq!(Inflate::of(None, 0).push(b"plain").unwrap(), b"plain");
        let unknown = Inflate::of(Some("br"), 9).push(b"?").unwrap_err();
        assert_eq!(unknown.to_string(), "it is packed as `br`");
        assert!(Inflate::of(Some("gzip"), 9).push(b"plain text").is_err());
        let mut half = Inflate::of(Some("gzip"), 2_000);
        half.push(&twice[..20]).unwrap();
        assert!(half.end().is_err());
        Inflate::of(Some("gzip"), 0).end().unwrap();
    }

    #[test]
    fn what_becomes_too_long_is_let_go() {
        let bomb = packed(&vec![0; 1 << 20]);
        assert!(bomb.len() < 2_000);
        let told = Inflate::of(Some("gzip"), 1 << 16).push(&bomb).unwrap_err();
        assert_eq!(told.to_string(), "it becomes too long when it is unpacked");
        assert_eq!(Inflate::of(Some("gzip"), 1 << 20).push(&bomb).unwrap().len(), 1 << 20);
    }
}
