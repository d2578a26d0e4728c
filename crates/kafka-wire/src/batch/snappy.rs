//! Snappy as it is found in Kafka: framed in blocks by Java's library (xerial), or one raw block by others.

use std::io;

const MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
/// Magic, version, lowest compatible version.
const HEADER: [u8; 16] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1];
/// Uncompressed bytes per block, the default of Java's library.
const BLOCK: usize = 32 << 10;

/// Compresses into the framing that Java's library writes; every client reads it.
pub(super) fn compress(data: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(HEADER.len() + data.len() / 2);
    out.extend_from_slice(&HEADER);
    let mut encoder = snap::raw::Encoder::new();
    let mut block = vec![0; snap::raw::max_compress_len(BLOCK.min(data.len()))];
    for chunk in data.chunks(BLOCK) {
        let size = encoder.compress(chunk, &mut block).map_err(io::Error::other)?;
        out.extend_from_slice(&(size as u32).to_be_bytes());
        out.extend_from_slice(&block[..size]);
    }
    Ok(out)
}

/// Decompresses either form; `None` when the result is larger than `limit` bytes.
pub(super) fn decompress(payload: &[u8], limit: usize) -> io::Result<Option<Vec<u8>>> {
    let mut out = Vec::new();
    if !payload.starts_with(&MAGIC) {
        return Ok(append_block(payload, limit, &mut out)?.then_some(out));
    }
    let mut rest = payload;
    while !rest.is_empty() {
        if rest.starts_with(&MAGIC) {
            // Concatenated streams repeat the header.
            rest = rest.get(HEADER.len()..).ok_or_else(|| invalid("truncated stream header"))?;
            continue;
        }
        let (size, after) = rest.split_first_chunk().ok_or_else(|| invalid("truncated block length"))?;
        let size = u32::from_be_bytes(*size) as usize;
        let (block, after) = after.split_at_checked(size).ok_or_else(|| invalid("truncated block"))?;
        if !append_block(block, limit, &mut out)? {
            return Ok(None);
        }
        rest = after;
    }
    Ok(Some(out))
}

/// Decompresses one raw block behind `out`; false when `out` would exceed `limit`.
fn append_block(block: &[u8], limit: usize, out: &mut Vec<u8>) -> io::Result<bool> {
    let size = snap::raw::decompress_len(block).map_err(io::Error::other)?;
    let start = out.len();
    if size > limit - start {
        return Ok(false);
    }
    // The densest element makes 64 bytes of 3: a block that claims more lies, and would make us allocate.
    if size / 32 > block.len() {
        return Err(invalid("block claims more data than it can hold"));
    }
    out.resize(start + size, 0);
    let written = snap::raw::Decoder::new().decompress(block, &mut out[start..]).map_err(io::Error::other)?;
    out.truncate(start + written);
    Ok(true)
}

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_framing_of_the_java_library() {
        let packed = compress(&[7u8; BLOCK + 1]).unwrap();
        assert_eq!(packed[..16], HEADER);
        let first = u32::from_be_bytes(packed[16..20].try_into().unwrap()) as usize;
        assert_eq!(snap::raw::decompress_len(&packed[20..20 + first]).unwrap(), BLOCK);
        assert_eq!(decompress(&packed, 1 << 20).unwrap().unwrap(), vec![7u8; BLOCK + 1]);
    }

    #[test]
    fn reads_raw_blocks_and_concatenated_streams() {
        let raw = snap::raw::Encoder::new().compress_vec(b"raw raw raw raw raw").unwrap();
        assert_eq!(decompress(&raw, 100).unwrap().unwrap(), b"raw raw raw raw raw");
        let twice = [compress(b"one").unwrap(), compress(b"two").unwrap()].concat();
        assert_eq!(decompress(&twice, 100).unwrap().unwrap(), b"onetwo");
        assert!(decompress(&twice, 5).unwrap().is_none());
    }

    #[test]
    fn refuses_lies_about_the_size() {
        // A varint that claims 256 MiB, with nothing behind it.
        let error = decompress(&[0x80, 0x80, 0x80, 0x80, 0x01], 1 << 30).unwrap_err();
        assert_eq!(error.to_string(), "block claims more data than it can hold");
        let mut torn = compress(b"hello").unwrap();
        torn.pop();
        assert_eq!(decompress(&torn, 100).unwrap_err().to_string(), "truncated block");
    }
}
