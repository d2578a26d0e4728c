//! The interface over a herder that answers as told.

mod api;
mod stub;
mod wire;
