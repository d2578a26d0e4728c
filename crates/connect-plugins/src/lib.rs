//! The plugins that a worker brings along, each under the name of its Java class.

pub mod connectors;
pub mod converters;
pub mod predicates;
pub mod providers;
pub mod transforms;
