//! Connectors for tests of a worker: a source and a sink that fail in a chosen method and in a chosen way ([`Fault`](fault)),
//! and write what happens to them into a file that tests of other processes read ([`Events`](events)). A worker has them
//! only if asked (`CONNECT_TEST_PLUGINS=1`).
//!
//! Common settings:
//!
//! | Setting | Meaning |
//! |---|---|
//! | `events.file` | one JSON line for each call is appended to this file |
//! | `fault` | `throw`, `retriable`, `panic`; `block`: the call never ends; `hang`: it does not give the thread back for `fault.ms`; `slow`: it takes `fault.ms` longer |
//! | `fault.in` | where: `connector.start`, `taskConfigs`, `connector.stop`, `validate`, `exactlyOnceSupport`, `alterOffsets`; of tasks: `start`, `poll`, `commitRecord`, `commit`, `open`, `put`, `preCommit`, `flush`, `close`, `stop` |
//! | `fault.after.records` | only when the task has handled that many records since its start |
//! | `fault.tasks` | only in tasks with these numbers |
//! | `fault.while.file` | only while this file exists; a call that blocks goes on when it is removed |
//! | `fault.ms` | default 1000 |
//! | `num.tasks` | number of tasks, even beyond `tasks.max` |
//! | `tasks.file` | the file holds the number of tasks; when it changes, the connector asks for new task configurations |

mod connector;
mod events;
mod fault;
mod keys;
mod sink;
mod source;

pub use sink::{TestSink, TestSinkTask};
pub use source::{TestSource, TestSourceTask};
