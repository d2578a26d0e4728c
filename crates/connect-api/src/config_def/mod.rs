//! Definitions of settings: types, defaults, checks and documentation, in the semantics and the words of Kafka's
//! `ConfigDef`. One definition serves parsing, `connector-plugins/…/config` and `validate`.

mod definition;
mod parse;
mod setting;
mod validators;

pub use definition::{ConfigDef, ConfigKey, Importance, Recommender, Type, Width};
pub use parse::{ParsedConfig, ValidatedValue};
pub use setting::Setting;
pub use validators::Validator;
