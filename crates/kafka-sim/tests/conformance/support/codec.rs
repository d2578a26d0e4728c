//! The codecs of a batch's attributes, by name and number.

use std::io::{Read, Write};

use bytes::Bytes;

const NAMES: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];

pub(crate) fn number(name: &str) -> i16 {
    NAMES.iter().position(|known| *known == name).expect("a codec's name") as i16
}

/// Codecs that do not exist leave the bytes as they are.
pub(crate) fn compress(codec: i16, plain: &[u8]) -> Bytes {
    let packed = match codec {
        1 => {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            out.write_all(plain).unwrap();
            out.finish().unwrap()
        }
        2 => snap::raw::Encoder::new().compress_vec(plain).unwrap(),
        3 => {
            let mut out = lz4_flex::frame::FrameEncoder::new(Vec::new());
            out.write_all(plain).unwrap();
            out.finish().unwrap()
        }
        4 => zstd::encode_all(plain, 3).unwrap(),
        _ => plain.to_vec(),
    };
    Bytes::from(packed)
}

pub(crate) fn decompress(codec: i16, packed: &[u8]) -> Bytes {
    let mut plain = Vec::new();
    match codec {
        1 => drop(flate2::read::GzDecoder::new(packed).read_to_end(&mut plain).unwrap()),
        2 => plain = snap::raw::Decoder::new().decompress_vec(packed).unwrap(),
        3 => drop(lz4_flex::frame::FrameDecoder::new(packed).read_to_end(&mut plain).unwrap()),
        4 => plain = zstd::decode_all(packed).unwrap(),
        _ => plain = packed.to_vec(),
    }
    Bytes::from(plain)
}
