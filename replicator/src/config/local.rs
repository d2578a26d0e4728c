//! Command line and files of a process: kept as they were read, so that the configuration of a connector can be put
//! before it at any time.

use std::path::PathBuf;

use super::collect::{Collected, collect};
use super::sources::{ConfigFile, Sources};

/// Command line and files of a process, as they were read.
#[derive(Clone, Default)]
pub struct Local {
    pub(super) collected: Collected,
    pub(super) consumer: Option<PathBuf>,
    pub(super) producer: Option<PathBuf>,
    pub(super) default_cluster_id: Option<String>,
}

impl Local {
    /// Reads every file named in `sources`; what cannot be read becomes a problem.
    pub(super) fn read(sources: &Sources) -> Self {
        let path = |file: &Option<ConfigFile>| file.as_ref().map(|file| file.path.clone());
        Self {
            collected: collect(sources),
            consumer: path(&sources.consumer),
            producer: path(&sources.producer),
            default_cluster_id: sources.default_cluster_id.clone(),
        }
    }
}

impl std::fmt::Debug for Local {
    /// It holds secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Local")
    }
}
