//! Names and numbers of the compression codecs.

use std::fmt;

/// Compression codecs by their number in the attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Not compressed.
    None,
    /// `gzip`.
    Gzip,
    /// `snappy`.
    Snappy,
    /// `lz4`.
    Lz4,
    /// `zstd`.
    Zstd,
    /// A number that no released Kafka writes (5 to 7).
    Unknown(u8),
}

impl Codec {
    /// The codec with this number (lowest three bits).
    pub fn from_id(id: u8) -> Codec {
        match id & 7 {
            0 => Codec::None,
            1 => Codec::Gzip,
            2 => Codec::Snappy,
            3 => Codec::Lz4,
            4 => Codec::Zstd,
            other => Codec::Unknown(other),
        }
    }

    /// The codec's number in the attributes.
    pub fn id(self) -> u8 {
        match self {
            Codec::None => 0,
            Codec::Gzip => 1,
            Codec::Snappy => 2,
            Codec::Lz4 => 3,
            Codec::Zstd => 4,
            Codec::Unknown(id) => id,
        }
    }
}

impl fmt::Display for Codec {
    /// The name `compression.type` uses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Codec::None => f.write_str("none"),
            Codec::Gzip => f.write_str("gzip"),
            Codec::Snappy => f.write_str("snappy"),
            Codec::Lz4 => f.write_str("lz4"),
            Codec::Zstd => f.write_str("zstd"),
            Codec::Unknown(id) => write!(f, "unknown codec {id}"),
        }
    }
}
