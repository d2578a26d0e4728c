//! Settings of a cluster that does not exist yet, as its builder collects them and its state reads them.

use std::collections::BTreeMap;

use crate::protocol::Release;

/// Everything that decides how a new cluster looks.
#[derive(Debug, Clone)]
pub(crate) struct Blueprint {
    pub(crate) release: Release,
    pub(crate) brokers: usize,
    pub(crate) seed: u64,
    pub(crate) properties: BTreeMap<String, String>,
    pub(crate) racks: bool,
}

impl Default for Blueprint {
    fn default() -> Self {
        Self { release: Release::V4_3, brokers: 1, seed: 0, properties: BTreeMap::new(), racks: false }
    }
}
