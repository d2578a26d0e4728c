//! What every case stands on: a raw client, hand-written batches, the transcript, and the targets.

pub(crate) mod batch;
pub(crate) mod client;
mod codec;
pub(crate) mod fetch;
pub(crate) mod golden;
pub(crate) mod groups;
pub(crate) mod produce;
pub(crate) mod real;
pub(crate) mod run;
pub(crate) mod sim;
pub(crate) mod target;
pub(crate) mod topics;
pub(crate) mod transactions;
pub(crate) mod transcript;

pub(crate) use batch::{Batch, Stored};
pub(crate) use client::Client;
pub(crate) use fetch::Ask;
pub(crate) use produce::Send;
pub(crate) use target::{Release, Target};
pub(crate) use transactions::Producer;
pub(crate) use transcript::{T, code, name, text};
