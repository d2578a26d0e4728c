//! Compression of payloads, as Kafka's Java clients write and read it.
//!
//! Decompression is bounded: no payload makes it produce, or reserve, more than the limit it is given.

use std::io::{self, Read, Write};

use bytes::Bytes;

use super::{BatchError, Codec, snappy};

/// Most bytes a payload may have when decompressed, unless the caller says otherwise: 256 MiB. The largest
/// batch a broker takes by default has 1 MiB compressed.
pub const DEFAULT_DECOMPRESSED_LIMIT: usize = 256 << 20;

/// The records in `payload`; at most `limit` bytes.
pub(super) fn decompress(codec: Codec, payload: &Bytes, limit: usize) -> Result<Bytes, BatchError> {
    let failed = |error: io::Error| BatchError::Compression { codec, why: error.to_string() };
    let data = match codec {
        Codec::None => return Ok(payload.clone()),
        Codec::Gzip => read_bounded(flate2::bufread::MultiGzDecoder::new(&payload[..]), payload, limit),
        Codec::Lz4 => read_bounded(lz4_flex::frame::FrameDecoder::new(&payload[..]), payload, limit),
        Codec::Zstd => zstd::stream::read::Decoder::with_buffer(&payload[..])
            .and_then(|decoder| read_bounded(decoder, payload, limit)),
        Codec::Snappy => snappy::decompress(payload, limit),
        Codec::Unknown(_) => Err(io::Error::other("cannot be decompressed, Kafka has no such codec")),
    };
    data.map_err(failed)?.map(Bytes::from).ok_or(BatchError::TooMuchData { codec, limit })
}

/// Everything `reader` gives, `None` when that is more than `limit` bytes.
fn read_bounded(reader: impl Read, payload: &Bytes, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let mut data = Vec::with_capacity(payload.len().saturating_mul(3).min(limit));
    reader.take(limit as u64 + 1).read_to_end(&mut data)?;
    Ok((data.len() <= limit).then_some(data))
}

impl Codec {
    /// Compresses the records of a batch at the codec's default level.
    ///
    /// # Errors
    /// For a codec that Kafka does not have.
    pub fn compress(self, records: Vec<u8>) -> Result<Bytes, BatchError> {
        compress(self, None, records)
    }
}

/// Compresses `data`; `level` is the codec's own scale, `None` its default.
pub(super) fn compress(codec: Codec, level: Option<i32>, data: Vec<u8>) -> Result<Bytes, BatchError> {
    let packed = match codec {
        Codec::None => Ok(data),
        Codec::Gzip => gzip(&data, level),
        Codec::Snappy => snappy::compress(&data),
        Codec::Lz4 => lz4(&data),
        Codec::Zstd => zstd::stream::encode_all(&data[..], level.unwrap_or(zstd::DEFAULT_COMPRESSION_LEVEL)),
        Codec::Unknown(_) => Err(io::Error::other("cannot be compressed, Kafka has no such codec")),
    };
    packed.map(Bytes::from).map_err(|error| BatchError::Compression { codec, why: error.to_string() })
}

fn gzip(data: &[u8], level: Option<i32>) -> io::Result<Vec<u8>> {
    let level = level.map_or(flate2::Compression::default(), |level| {
        flate2::Compression::new(level.clamp(0, 9).unsigned_abs())
    });
    let mut encoder = flate2::write::GzEncoder::new(Vec::with_capacity(data.len() / 2), level);
    encoder.write_all(data)?;
    encoder.finish()
}

/// An LZ4 frame within what Kafka's reader takes: independent blocks of 64 KiB, no checksums.
fn lz4(data: &[u8]) -> io::Result<Vec<u8>> {
    let mut info = lz4_flex::frame::FrameInfo::new();
    info.block_size = lz4_flex::frame::BlockSize::Max64KB;
    let mut encoder =
        lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::with_capacity(data.len() / 2));
    encoder.write_all(data)?;
    encoder.finish().map_err(io::Error::other)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CODECS: [Codec; 5] = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

    #[test]
    fn every_codec_round_trips_and_compresses() {
        let data: Vec<u8> = (0..200_000u32).flat_map(|n| (n / 7).to_be_bytes()).collect();
        for codec in CODECS {
            let packed = compress(codec, None, data.clone()).unwrap();
            assert!(codec == Codec::None || packed.len() < data.len() * 3 / 4, "{codec}: {}", packed.len());
            assert_eq!(decompress(codec, &packed, data.len()).unwrap(), data, "{codec}");
        }
    }

    #[test]
    fn bombs_are_refused_by_their_limit() {
        let zeros = vec![0u8; 4 << 20];
        for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
            let packed = compress(codec, None, zeros.clone()).unwrap();
            let limit = zeros.len() - 1;
            assert_eq!(decompress(codec, &packed, limit), Err(BatchError::TooMuchData { codec, limit }));
        }
    }

    #[test]
    fn levels_change_the_size() {
        let data: Vec<u8> = (0..60_000u32).flat_map(|n| (n.wrapping_mul(n) % 1000).to_be_bytes()).collect();
        for codec in [Codec::Gzip, Codec::Zstd] {
            let low = compress(codec, Some(1), data.clone()).unwrap();
            let high = compress(codec, Some(9), data.clone()).unwrap();
            assert!(high.len() < low.len(), "{codec}: {} {}", high.len(), low.len());
            assert_eq!(decompress(codec, &low, data.len()).unwrap(), data);
        }
    }

    #[test]
    fn unknown_codecs_are_errors() {
        let error = decompress(Codec::Unknown(5), &Bytes::from_static(b"x"), 10).unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown codec 5 payload: cannot be decompressed, Kafka has no such codec"
        );
        assert!(compress(Codec::Unknown(7), None, vec![1]).is_err());
    }

    #[test]
    fn lz4_frames_are_what_kafka_reads() {
        let packed = compress(Codec::Lz4, None, b"hello hello hello hello".to_vec()).unwrap();
        // Magic, FLG (version 1, independent blocks), BD (64 KiB), header checksum.
        assert_eq!(packed[..7], [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]);
    }

    proptest! {
        #[test]
        fn garbage_never_panics_nor_exceeds_the_limit(bytes in prop::collection::vec(any::<u8>(), 0..300),
                                                      at in 0usize..300, flip: u8) {
            for codec in CODECS {
                if let Ok(data) = decompress(codec, &Bytes::from(bytes.clone()), 10_000) {
                    prop_assert!(data.len() <= 10_000);
                }
                let mut packed = compress(codec, None, bytes.clone()).unwrap().to_vec();
                let at = at % packed.len().max(1);
                if let Some(byte) = packed.get_mut(at) {
                    *byte ^= flip;
                }
                if let Ok(data) = decompress(codec, &Bytes::from(packed), 10_000) {
                    prop_assert!(data.len() <= 10_000);
                }
            }
        }
    }
}
