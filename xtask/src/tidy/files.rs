//! Given the repository's files, gives those that are too large or say where a machine fetches its packages.

use std::{fs, io, path::Path};

use super::Finding;

/// The largest file, in bytes. Every clone carries it for ever.
const FILE_BYTES_MAX: usize = 1 << 20;
/// The longest Rust file, in lines. A longer one holds two subjects.
const RUST_LINES_MAX: usize = 1_500;
/// What is made and not written.
const MADE: [&str; 6] = [
    "target",
    "node_modules",
    "screenshots",
    "circuit-data",
    "__pycache__",
    "results",
];
/// Folders that begin with a dot and are the project's.
const DOTTED: [&str; 3] = [".cargo", ".ci", ".config"];

/// Every file of the project, by path from the root, in order.
pub fn listed(root: &Path) -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    list(root, "", &mut files)?;
    files.sort();
    Ok(files)
}

fn list(root: &Path, folder: &str, files: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = match folder {
            "" => name.clone(),
            _ => format!("{folder}/{name}"),
        };
        let kind = entry.file_type()?;
        let hidden = name.starts_with('.') && !DOTTED.contains(&name.as_str());
        if kind.is_dir() && !hidden && !MADE.contains(&name.as_str()) {
            list(root, &path, files)?;
        }
        if kind.is_file() && name != ".git" {
            files.push(path);
        }
    }
    Ok(())
}

pub fn findings(file: &str, bytes: &[u8]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if bytes.len() > FILE_BYTES_MAX {
        let what = format!("has {} bytes; a file has at most {FILE_BYTES_MAX}", bytes.len());
        findings.push(Finding::new(file, what));
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return findings;
    };
    let lines = text.lines().count();
    if file.ends_with(".rs") && lines > RUST_LINES_MAX {
        let what = format!("has {lines} lines; split it along its nouns, at most {RUST_LINES_MAX} each");
        findings.push(Finding::new(file, what));
    }
    // Cargo writes the name of its index into its lock file, wherever it really fetched from.
    if file != "Cargo.lock" {
        let named = registries().into_iter().find(|registry| text.contains(registry));
        findings.extend(named.map(|registry| {
            Finding::new(
                file,
                format!("names {registry}; where packages come from is each machine's own setting"),
            )
        }));
    }
    findings
}

/// Hosts of package registries, put together here so that this file does not name them.
fn registries() -> Vec<String> {
    [
        ("crates", "io"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("golang", "org"),
    ]
    .into_iter()
    .map(|(name, end)| format!("{name}.{end}"))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_too_large_is_found() {
        assert_eq!(findings("a.png", &vec![0xff; FILE_BYTES_MAX + 1]).len(), 1);
        assert!(findings("a.png", &[0xff; 10]).is_empty());
    }

    #[test]
    fn a_rust_file_with_two_subjects_is_found() {
        assert_eq!(findings("a.rs", "\n".repeat(RUST_LINES_MAX + 1).as_bytes()).len(), 1);
    }

    #[test]
    fn a_lock_file_that_says_where_it_was_made_is_found() {
        let text = format!("\"resolved\": \"https://registry.{}/x.tgz\"", registries()[1]);
        assert_eq!(findings("e2e/package-lock.json", text.as_bytes()).len(), 1);
        assert!(findings("Cargo.lock", text.as_bytes()).is_empty());
    }

    #[test]
    fn what_is_made_is_not_looked_at() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let files = listed(root).unwrap();
        assert!(files.iter().any(|file| file == "xtask/src/main.rs"));
        assert!(
            !files
                .iter()
                .any(|file| file.starts_with("target/") || file.contains("node_modules"))
        );
    }
}
