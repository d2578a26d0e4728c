//! Settings of the REST interface, read from a worker's properties with Connect's words for what is wrong.

use std::collections::BTreeMap;

use connect_api::{ConfigDef, ConfigKey, Importance, ParsedConfig, Setting, Type, Validator};

use crate::api::{ConfigMap, ConnectError};
