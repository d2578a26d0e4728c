//! Connectors and tasks in the order in which their holder lists them, as sets: nothing is in them twice.

use std::collections::HashSet;
use std::hash::Hash;

use crate::ids::TaskId;

/// Connector instances and tasks. The order is kept, because the balancing takes surplus from the front.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectorsAndTasks {
    /// Connectors whose instance this is about.
    pub connectors: Vec<String>,
    /// Tasks.
    pub tasks: Vec<TaskId>,
}

impl ConnectorsAndTasks {
    /// True if there is neither a connector nor a task.
    pub fn is_empty(&self) -> bool {
        self.connectors.is_empty() && self.tasks.is_empty()
    }

    /// Adds what is not there yet, at the end.
    pub fn add(&mut self, other: &Self) {
        add(&mut self.connectors, &other.connectors);
        add(&mut self.tasks, &other.tasks);
    }

    /// Removes all that `other` has.
    pub fn remove(&mut self, other: &Self) {
        remove(&mut self.connectors, &other.connectors);
        remove(&mut self.tasks, &other.tasks);
    }

    /// This without what `other` has.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let mut left = self.clone();
        left.remove(other);
        left
    }

    /// Work in both this and `other`, in the order of this.
    #[must_use]
    pub(super) fn common(&self, other: &Self) -> Self {
        self.minus(&self.minus(other))
    }

    /// This with each item once.
    #[must_use]
    pub(super) fn distinct(&self) -> Self {
        let mut all = Self::default();
        all.add(self);
        all
    }
}

fn add<T: Clone + Eq + Hash>(to: &mut Vec<T>, other: &[T]) {
    let mut seen: HashSet<T> = to.iter().cloned().collect();
    to.extend(other.iter().filter(|item| seen.insert((*item).clone())).cloned());
}

fn remove<T: Eq + Hash>(from: &mut Vec<T>, other: &[T]) {
    let gone: HashSet<&T> = other.iter().collect();
    from.retain(|item| !gone.contains(item));
}
