//! How a text becomes the bytes that are sent.

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use std::io::Write as _;

/// What the bytes of a text are. No header says so by itself: a step may say it, or lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, as JSON has to be.
    #[default]
    Utf8,
    /// UTF-16, little end first, without a mark.
    Utf16,
    /// Packed, as HTTP's `gzip` is.
    Gzip,
    /// Packed, as HTTP's `deflate` is: zlib's format.
    Deflate,
    /// Packed, as HTTP's `br` is: Brotli's format (RFC 7932), its bytes stored as they are.
    Brotli,
}

/// So many bytes a stored block of Brotli holds, with a length of four digits.
const BLOCK: usize = 1 << 16;

impl Encoding {
    /// Every word.
    pub const ALL: [(&str, Self); 5] = [
        ("utf-8", Self::Utf8),
        ("utf-16le", Self::Utf16),
        ("gzip", Self::Gzip),
        ("deflate", Self::Deflate),
        ("br", Self::Brotli),
    ];

    /// The bytes of a text.
    pub fn bytes(self, text: String) -> Vec<u8> {
        let packed = match self {
            Self::Utf8 => return text.into_bytes(),
            Self::Utf16 => return text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Brotli => return stored(text.as_bytes()),
            Self::Gzip => {
                let mut packer = GzEncoder::new(Vec::new(), Compression::best());
                packer.write_all(text.as_bytes()).and_then(|()| packer.finish())
            }
            Self::Deflate => {
                let mut packer = ZlibEncoder::new(Vec::new(), Compression::best());
                packer.write_all(text.as_bytes()).and_then(|()| packer.finish())
            }
        };
        packed.expect("memory takes every byte")
    }
}

/// A stream of stored blocks (RFC 7932, section 9.2), behind the shortest of headers.
fn stored(text: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    for (nth, block) in text.chunks(BLOCK).enumerate() {
        // Not the last, a length of four digits, not compressed; the first stands behind the bit of the window.
        let header = ((block.len() as u32 - 1) << 3 | 1 << 19) << u32::from(nth == 0);
        packed.extend(&header.to_le_bytes()[..3]);
        packed.extend(block);
    }
    // The last, and empty.
    packed.push(if text.is_empty() { 0b110 } else { 0b11 });
    packed
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn each_is_read_by_who_knows_it() {
        let bytes = |encoding: Encoding| encoding.bytes("denié".to_owned());
        assert_eq!(bytes(Encoding::Utf8), "denié".as_bytes());
        assert_eq!(bytes(Encoding::Utf16), b"d\0e\0n\0i\0\xe9\0");
        let mut unpacked = String::new();
        flate2::read::GzDecoder::new(&*bytes(Encoding::Gzip)).read_to_string(&mut unpacked).unwrap();
        flate2::read::ZlibDecoder::new(&*bytes(Encoding::Deflate)).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, "deniédenié");
        let long = Encoding::Brotli.bytes("a".repeat(BLOCK + 1));
        assert_eq!(long[..3], [0xf0, 0xff, 0x1f], "the first block is full");
        assert_eq!(long[3 + BLOCK..], [0, 0, 0x08, b'a', 0b11]);
        assert_eq!(bytes(Encoding::Brotli), b"\x50\x00\x10deni\xc3\xa9\x03");
        assert_eq!(bytes(Encoding::Gzip), bytes(Encoding::Gzip), "no time of day is in it");
    }
}
