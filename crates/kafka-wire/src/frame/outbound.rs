//! A request frame as a chain of slices, written with vectored writes so that payloads are not copied.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;

use bytes::{Buf, Bytes};

/// Whether requests may be sent, asked just before.
pub type SendGate = Arc<dyn Fn() -> bool + Send + Sync>;

/// Bytes to send, in pieces.
#[derive(Default)]
pub struct Outbound {
    pieces: VecDeque<Bytes>,
    remaining: usize,
    gate: Option<SendGate>,
}

impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Outbound({} bytes)", self.remaining)
    }
}

impl Outbound {
    /// Not a byte of it is sent while `gate` says no: also not what waits for room on the connection.
    #[must_use]
    pub fn with_gate(self, gate: Option<SendGate>) -> Self {
        Self { gate, ..self }
    }

    /// The gate, if it has one.
    pub(super) fn gate(&self) -> Option<SendGate> {
        self.gate.clone()
    }

    /// Appends a piece.
    pub fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.remaining += piece.len();
            self.pieces.push_back(piece);
        }
    }

    /// Puts a piece in front.
    pub fn push_front(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.remaining += piece.len();
            self.pieces.push_front(piece);
        }
    }

    /// Bytes left.
    pub fn len(&self) -> usize {
        self.remaining
    }

    /// True when nothing is left.
    pub fn is_empty(&self) -> bool {
        self.remaining == 0
    }
}

impl From<Bytes> for Outbound {
    fn from(piece: Bytes) -> Self {
        let mut out = Self::default();
        out.push(piece);
        out
    }
}

impl Buf for Outbound {
    fn remaining(&self) -> usize {
        self.remaining
    }

    fn chunk(&self) -> &[u8] {
        self.pieces.front().map_or(&[], |p| p)
    }

    fn chunks_vectored<'a>(&'a self, dst: &mut [IoSlice<'a>]) -> usize {
        let mut filled = 0;
        for (slot, piece) in dst.iter_mut().zip(&self.pieces) {
            *slot = IoSlice::new(piece);
            filled += 1;
        }
        filled
    }

    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.remaining, "advanced past the end of a frame");
        self.remaining -= count;
        while count > 0 {
            let Some(front) = self.pieces.front_mut() else { return };
            if front.len() > count {
                front.advance(count);
                return;
            }
            count -= front.len();
            self.pieces.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_sent_in_order_across_partial_writes() {
        let mut out = Outbound::default();
        for piece in ["abc", "", "de", "f"] {
            out.push(Bytes::from_static(piece.as_bytes()));
        }
        assert_eq!(out.len(), 6);
        out.advance(4);
        let mut slices = [IoSlice::new(&[]); 4];
        let filled = out.chunks_vectored(&mut slices);
        let rest: Vec<u8> = slices[..filled].iter().flat_map(|s| s.to_vec()).collect();
        assert_eq!(rest, b"ef");
        out.advance(2);
        assert!(out.is_empty());
    }
}
