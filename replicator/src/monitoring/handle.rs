//! The monitors of all replication connectors of a process, by connector name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Monitor;

/// Finds monitors. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MonitorHandle(Arc<Mutex<BTreeMap<String, Arc<Monitor>>>>);

impl MonitorHandle {
    /// The monitor of a connector. It keeps its counts when tasks stop and start again.
    pub fn of(&self, connector: &str) -> Arc<Monitor> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(connector.to_owned()).or_default().clone()
    }

    /// Those that are in use, by name: the connector or a task of it runs here, or somebody watches it.
    pub fn all(&self) -> Vec<(String, Arc<Monitor>)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let used = all.iter().filter(|(_, monitor)| Arc::strong_count(monitor) > 1);
        used.map(|(name, monitor)| (name.clone(), monitor.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connectors_do_not_mix_and_unused_ones_are_not_told() {
        let handle = MonitorHandle::default();
        let (a, b) = (handle.of("a"), handle.of("b"));
        a.open("t", 0, "t", 0);
        assert!(b.partitions().is_empty());
        let names = || handle.all().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(), ["a", "b"]);
        drop(a);
        assert_eq!(names(), ["b"]);
        assert_eq!(handle.of("a").partitions().len(), 1, "its figures are kept");
    }
}
