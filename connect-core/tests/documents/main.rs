//! Documents and sample files against the code: what they show must be true.

#![allow(clippy::unwrap_used)]

mod guide;
mod samples;
