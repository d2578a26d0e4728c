//! CRC32C of a batch whose header changes but whose payload does not.
//!
//! CRC is linear: for headers `H`, `H'` of one length and a payload `P` of `n` bytes, `crc(H'P) = crc(HP) ^
//! shift(crc(H) ^ crc(H'), n)`, where `shift` appends `n` zero bytes, i.e. multiplies by `x^(8n)` modulo the
//! CRC32C polynomial. So the checksum the first producer computed over the payload stays in force up to the
//! next broker: damage done in between is found there instead of being blessed here.

/// The Castagnoli polynomial, bit-reversed as CRC32C processes it.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// `SHIFTS[k]` is `x^(8 * 2^k)` modulo the polynomial.
const SHIFTS: [u32; 32] = shifts();

const fn shifts() -> [u32; 32] {
    // In bit-reversed order the top bit is x^0, so x^1 is the next one; x^8 is three squarings away.
    let mut power = 1u32 << 30;
    let mut squarings = 0;
    while squarings < 3 {
        power = multiply(power, power);
        squarings += 1;
    }
    let mut table = [0u32; 32];
    let mut k = 0;
    while k < 32 {
        table[k] = power;
        power = multiply(power, power);
        k += 1;
    }
    table
}

/// Product of two polynomials modulo the CRC32C polynomial, without data-dependent branches.
const fn multiply(mut a: u32, mut b: u32) -> u32 {
    let mut product = 0u32;
    let mut step = 0;
    while step < 32 {
        product ^= b & 0u32.wrapping_sub(a >> 31);
        a <<= 1;
        b = (b >> 1) ^ (POLYNOMIAL & 0u32.wrapping_sub(b & 1));
        step += 1;
    }
    product
}

/// Value that a CRC (or a difference of two CRCs) becomes when `n` bytes follow.
pub(super) fn shift(crc: u32, n: u32) -> u32 {
    let mut rest = n;
    let mut shifted = crc;
    while rest != 0 {
        shifted = multiply(SHIFTS[rest.trailing_zeros() as usize], shifted);
        rest &= rest - 1;
    }
    shifted
}

/// CRC32C of `bytes`.
pub(super) fn crc32c(bytes: &[u8]) -> u32 {
    ::crc32c::crc32c(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_value() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(shift(0xdead_beef, 0), 0xdead_beef);
        assert_eq!(shift(0, 12345), 0);
    }

    #[test]
    fn shifting_by_large_distances_composes() {
        let once = shift(0x1234_5678, 0xffff_fff0);
        assert_eq!(once, shift(shift(0x1234_5678, 0x8000_0000), 0x7fff_fff0));
        assert_ne!(once, 0x1234_5678);
    }

    proptest! {
        #[test]
        fn concatenation_by_shift_equals_recomputation(head in prop::collection::vec(any::<u8>(), 0..80),
                                                       tail in prop::collection::vec(any::<u8>(), 0..5000)) {
            let whole = [head.clone(), tail.clone()].concat();
            prop_assert_eq!(shift(crc32c(&head), tail.len() as u32) ^ crc32c(&tail), crc32c(&whole));
        }
    }
}
