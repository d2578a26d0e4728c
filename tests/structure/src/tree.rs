//! Finds and reads the product's source files.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::source::Source;

/// Folders that hold tests, not product code, wherever they stand.
const TESTS: [&str; 4] = ["tests", "examples", "fuzz", "benches"];

/// Sources below the project folder `root`, or those of them below the given folders, which are relative to it.
///
/// # Errors
///
/// A folder or file cannot be read, or is not Rust.
pub(crate) fn read(root: &Path, folders: &[PathBuf]) -> anyhow::Result<Vec<Source>> {
    let mut files = Vec::new();
    walk(root, root, &mut files)?;
    files.sort();
    let wanted = |path: &Path| folders.is_empty() || folders.iter().any(|folder| path.starts_with(folder));
    files.retain(|path| wanted(path));
    files.iter().map(|path| Source::read(root, path).with_context(|| path.display().to_string())).collect()
}

/// Adds the product's `.rs` files below `folder` as paths relative to `root`.
fn walk(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let hidden = name.starts_with('.') || name == "target" || name == "node_modules";
        if path.is_dir() && !hidden && !TESTS.contains(&name) {
            walk(root, &path, files)?;
        } else if name.ends_with(".rs") && name != "tests.rs" {
            let relative = path.strip_prefix(root)?;
            if relative.components().any(|part| part.as_os_str() == "src") {
                files.push(relative.to_owned());
            }
        }
    }
    Ok(())
}
