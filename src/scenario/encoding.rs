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
}

impl Encoding {
    /// Every word.
    pub const ALL: [(&str, Self); 4] =
        [("utf-8", Self::Utf8), ("utf-16le", Self::Utf16), ("gzip", Self::Gzip), ("deflate", Self::Deflate)];

    /// The bytes of a text.
    pub fn bytes(self, text: String) -> Vec<u8> {
        let packed = match self {
            Self::Utf8 => return text.into_bytes(),
            Self::Utf16 => return text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
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
        assert_eq!(bytes(Encoding::Gzip), bytes(Encoding::Gzip), "no time of day is in it");
    }
}
