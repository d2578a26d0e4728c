//! Sink tasks. [`life`] is the loop; [`state`] what it keeps; [`partitions`], [`put`] and [`commit`] what it does.

mod commit;
mod consumer;
mod dead_letters;
mod life;
mod partitions;
mod positions;
mod put;
mod state;
mod subscription;

pub(crate) use self::dead_letters::DeadLetters;
pub(crate) use self::life::run_sink;
pub(crate) use self::state::SinkRun;
pub(crate) use self::subscription::Subscription;
