//! The command line of the `replicator` executable without a verb, which is upstream's. It is turned into an
//! [`Invocation`], or into an [`Exit`](crate::process::exit::Exit); nothing here reads a configuration file.

mod flags;
mod help;
mod run;

pub(crate) use run::{Invocation, Surroundings, check_asked, command, invocation};
