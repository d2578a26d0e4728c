//! Which topics are copied, what they are called at the destination, and making them there.

mod create;
pub(crate) mod destinations;
pub(crate) mod discovery;
pub mod filter;
pub mod rename;
