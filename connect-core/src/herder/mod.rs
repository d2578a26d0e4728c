//! Herders decide what runs where: one for groups of workers (`distributed`), one for a worker alone (`standalone`). REST asks
//! either through [`api::Herder`].

pub mod api;
pub mod common;
pub mod distributed;
mod reading;
pub mod standalone;
pub mod statuses;
