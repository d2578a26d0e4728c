//! LZ4 frames of message format 0, whose header checksum is wrong by a bug that became the format.
//!
//! The checksum was computed over the frame's magic number as well. It is put right here, so that an ordinary
//! decoder reads the frame.

use bytes::Bytes;

const FRAME_MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];
const CONTENT_SIZE: u8 = 1 << 3;
const DICTIONARY_ID: u8 = 1;

/// `frame` with the right header checksum. What is no LZ4 frame stays as it is, for the decoder to refuse.
pub(super) fn repair(frame: &Bytes) -> Bytes {
    let Some(flags) = frame.get(4).filter(|_| frame.starts_with(&FRAME_MAGIC)) else {
        return frame.clone();
    };
    let size = if flags & CONTENT_SIZE != 0 { 8 } else { 0 };
    let dictionary = if flags & DICTIONARY_ID != 0 { 4 } else { 0 };
    let checksum = 6 + size + dictionary;
    if frame.len() <= checksum {
        return frame.clone();
    }
    let mut repaired = frame.to_vec();
    repaired[checksum] = header_checksum(&frame[4..checksum]);
    repaired.into()
}

/// Second byte of XXH32 (seed 0) of fewer than 16 bytes, which is all that frame headers have.
pub(super) fn header_checksum(descriptor: &[u8]) -> u8 {
    const P1: u32 = 0x9e37_79b1;
    const P2: u32 = 0x85eb_ca77;
    const P3: u32 = 0xc2b2_ae3d;
    const P4: u32 = 0x27d4_eb2f;
    const P5: u32 = 0x1656_67b1;
    debug_assert!(descriptor.len() < 16);
    let mut hash = P5.wrapping_add(descriptor.len() as u32);
    let (words, bytes) = descriptor.as_chunks::<4>();
    for word in words {
        hash = hash.wrapping_add(u32::from_le_bytes(*word).wrapping_mul(P3)).rotate_left(17).wrapping_mul(P4);
    }
    for byte in bytes {
        hash = hash.wrapping_add(u32::from(*byte).wrapping_mul(P5)).rotate_left(11).wrapping_mul(P1);
    }
    hash = (hash ^ (hash >> 15)).wrapping_mul(P2);
    hash = (hash ^ (hash >> 13)).wrapping_mul(P3);
    ((hash ^ (hash >> 16)) >> 8) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_header_checksums() {
        // The values that lz4's own tools write for these flag and block-size bytes.
        assert_eq!(header_checksum(&[0x60, 0x40]), 0x82);
        assert_eq!(header_checksum(&[0x64, 0x40]), 0xa7);
    }

    #[test]
    fn only_the_checksum_of_a_frame_changes() {
        let frame = Bytes::from_static(&[0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x00, 0, 0, 0, 0]);
        assert_eq!(repair(&frame)[..], [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, 0, 0, 0, 0]);
        for other in [&b"no frame at all"[..], &frame[..6], &[]] {
            let other = Bytes::copy_from_slice(other);
            assert_eq!(repair(&other), other);
        }
    }
}
