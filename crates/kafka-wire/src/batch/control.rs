//! Transaction markers: read to know which transactions were aborted, never passed on.

use super::{Batch, header::field};

/// Message of a control batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlType {
    /// The transaction of this producer id was aborted.
    Abort,
    /// The transaction of this producer id was committed.
    Commit,
    /// A control record of another kind (leader change, snapshot and others of KRaft's log, or a later
    /// addition).
    Other,
}

/// The kind of a control batch; `None` for data batches and for control batches whose record cannot be read.
pub fn control_type(batch: &Batch) -> Option<ControlType> {
    if !batch.attributes().control() {
        return None;
    }
    let key = batch.records().ok()?.next()?.ok()?.key?;
    if key.len() < 4 {
        return None;
    }
    // Version (any: the type has stood behind it in all) and type.
    Some(match i16::from_be_bytes(field(&key, 2)) {
        0 => ControlType::Abort,
        1 => ControlType::Commit,
        _ => ControlType::Other,
    })
}
