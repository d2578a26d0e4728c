//! Herders decide what runs where: one for groups of workers (`distributed`), one for a worker alone (`standalone`). REST asks
//! either through [`api::Herder`].

pub mod api;
mod changes;
pub mod distributed;
mod plugins;
mod reader;
mod reading;
pub mod standalone;
pub mod statuses;
