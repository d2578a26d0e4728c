//! Parts that the executables share: how a process logs, is told to stop, lives and ends.

pub(crate) mod console;
pub(crate) mod exit;
pub(crate) mod life;
pub(crate) mod log;
pub(crate) mod signals;
