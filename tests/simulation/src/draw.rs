//! Chance that follows from the plan's number. Each purpose has a stream of its own, so that drawing more for one
//! changes nothing for the others.

use std::ops::RangeInclusive;
use std::time::Duration;

/// A stream of chance.
#[derive(Debug, Clone)]
pub struct Draw(fastrand::Rng);

impl Draw {
    /// The stream of `purpose` under `number`.
    pub fn new(number: u64, purpose: &str) -> Self {
        // FNV-1a, for no other reason than that it is short and never changes.
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let seed = number.to_be_bytes().into_iter().chain(purpose.bytes()).fold(0xcbf2_9ce4_8422_2325, step);
        Self(fastrand::Rng::with_seed(seed))
    }

    /// True in `percent` of a hundred cases.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.0.u32(0..100) < percent
    }

    /// A number within the range.
    pub fn number(&mut self, range: RangeInclusive<usize>) -> usize {
        self.0.usize(range)
    }

    /// A time within the range, in whole milliseconds.
    pub fn millis(&mut self, range: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.0.u64(range))
    }

    /// One of `choices`, which is not empty.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.0.usize(0..choices.len())]
    }

    /// `length` arbitrary bytes, half of the time such that compress well.
    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        if self.chance(50) {
            vec![self.0.u8(..); length]
        } else {
            std::iter::repeat_with(|| self.0.u8(..)).take(length).collect()
        }
    }
}
