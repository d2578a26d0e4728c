//! `allowed.paths`: where providers may read. Paths are compared by their text, as Java does: links are not followed.

use std::path::{Component, Path, PathBuf};

use connect_api::{ConfigMap, ConnectError};

/// The paths of a provider's setting; `None`: any.
#[derive(Debug, Clone)]
pub(super) struct AllowedPaths(Option<Vec<PathBuf>>);

impl AllowedPaths {
    /// # Errors
    /// If a path is relative or does not exist.
    pub(super) fn new(config: &ConfigMap) -> Result<Self, ConnectError> {
        let Some(setting) = config.get("allowed.paths").filter(|setting| !setting.is_empty()) else {
            return Ok(Self(None));
        };
        let paths = setting.split(',').map(|path| {
            let path = normalized(Path::new(path));
            if !path.is_absolute() {
                return Err(ConnectError::config(format!("Path {} is not absolute", path.display())));
            }
            if !path.exists() {
                return Err(ConnectError::config(format!("Path {} does not exist", path.display())));
            }
            Ok(path)
        });
        Ok(Self(Some(paths.collect::<Result<_, _>>()?)))
    }

    /// The path to read; `None`, and a warning, if it is not allowed.
    pub(super) fn checked(&self, path: &str) -> Option<PathBuf> {
        let Some(allowed) = &self.0 else { return Some(PathBuf::from(path)) };
        let normal = normalized(Path::new(path));
        if allowed.iter().any(|allowed| normal.starts_with(allowed)) {
            return Some(normal);
        }
        tracing::warn!(
            path,
            "a config provider may not read this path; allowed.paths of the provider says where it may"
        );
        None
    }
}

/// Without `.` and `..`, where the latter has something to go back over.
fn normalized(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        let goes_back = matches!(normal.components().next_back(), Some(Component::Normal(_)));
        match component {
            Component::CurDir => {}
            Component::ParentDir if goes_back => {
                normal.pop();
            }
            Component::ParentDir if normal.has_root() => {}
            component => normal.push(component),
        }
    }
    normal
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_below_is_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_str().unwrap();
        let config = [("allowed.paths".to_owned(), root.to_owned())].into();
        let allowed = AllowedPaths::new(&config).unwrap();
        assert!(allowed.checked(&format!("{root}/a/../b")).unwrap().ends_with("b"));
        assert_eq!(allowed.checked(&format!("{root}/../other")), None);
        assert_eq!(allowed.checked(&format!("{root}x")), None);
        let message = |setting: String| {
            AllowedPaths::new(&[("allowed.paths".to_owned(), setting)].into())
                .unwrap_err()
                .message()
                .to_owned()
        };
        assert_eq!(message("a/b".to_owned()), "Path a/b is not absolute");
        assert_eq!(message(format!("{root}/none")), format!("Path {root}/none does not exist"));
        assert_eq!(AllowedPaths::new(&ConfigMap::new()).unwrap().checked("x"), Some("x".into()));
    }
}
