//! The REST interface in a worker's properties: its keys, listeners, rules of headers, and what is read from them.

mod definition;
mod headers;
mod listener;
mod settings;

pub(crate) use definition::define;
pub use headers::{HeaderAction, HeaderRule};
pub use listener::{AdminListeners, Listener, Scheme};
pub use settings::RestSettings;
