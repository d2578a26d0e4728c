//! Names of connectors and tasks and the states that operators ask for: the words that groups, stores, herders and the
//! worker share. Nothing here knows any of them.

/// A task of a connector, by number from 0.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId {
    /// Connector name.
    pub connector: String,
    /// Number of the task.
    pub task: usize,
}

impl std::fmt::Display for TaskId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.connector, self.task)
    }
}

/// A connector or a task.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InstanceId {
    /// The connector of this name.
    Connector(String),
    /// A task.
    Task(TaskId),
}

impl std::fmt::Display for InstanceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connector(name) => f.write_str(name),
            Self::Task(id) => id.fmt(f),
        }
    }
}

/// State that an operator wants a connector to be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetState {
    /// Run; the state of a connector about which nothing was said.
    Started,
    /// Keep its place but do nothing.
    Paused,
    /// Give up its tasks.
    Stopped,
}

impl TargetState {
    /// Connect's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Started => "STARTED",
            Self::Paused => "PAUSED",
            Self::Stopped => "STOPPED",
        }
    }
}
