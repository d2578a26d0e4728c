//! Defects that can be planted, to show that the tests which hunt for such defects would find them. Each is
//! named where the healthy code stands; without the feature `failpoints`, which only the simulation asks for,
//! none exists.
//!
//! | name | what goes wrong |
//! |---|---|
//! | `commit-before-ack` | a position is committed before the broker has acknowledged what is below it |
//! | `sequence-reuse` | after a batch was sent again, the next one gets its sequence |
//! | `skip-partial-batch` | a batch that begins before the position is skipped as a whole |
//! | `merge-across-hole` | a batch with holes passes as if it had none, its header patched to match |
//! | `lost-wake-up` | a partition that may send again does not tell those who wait for it |

/// True when the defect is planted in this process (`fail::cfg(name, "return")`).
#[cfg(feature = "failpoints")]
pub fn planted(name: &str) -> bool {
    fail::fail_point!(name, |_| true);
    false
}

/// False: defects can be planted only with the feature `failpoints`.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub const fn planted(_name: &str) -> bool {
    false
}
