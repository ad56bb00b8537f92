//! Given the crates' `Cargo.toml`s, gives the arrows between crates that the architecture does not have.

use std::{collections::BTreeSet, fs, io, path::Path};

use super::Finding;

/// A crate, what it may know, and what only its tests may know besides.
struct Room {
    name: &'static str,
    knows: &'static [&'static str],
    tests_know: &'static [&'static str],
}

/// The floors, from the ground up. ARCHITECTURE.md draws them.
const ROOMS: [Room; 14] = [
    room("domain", &[], &[]),
    room("extract", &["domain"], &[]),
    room("files", &["domain"], &[]),
    room("store", &["domain"], &[]),
    room("search", &["domain"], &[]),
    room("embed", &["domain"], &[]),
    room("confluence", &["domain"], &["fake-atlassian"]),
    room("sync", &["domain", "extract"], ADAPTERS),
    room("app", &["domain", "extract", "sync"], ADAPTERS),
    room("server", &["domain", "app"], ADAPTERS),
    room("circuit", EVERYTHING, EVERYTHING),
    room("fake-atlassian", &[], &[]),
    room("simulation", SIMULATED, &[]),
    room("xtask", &[], &[]),
];

/// Real adapters on a fake Atlassian: what the tests of the upper floors stand on.
const ADAPTERS: &[&str] = &["store", "search", "confluence", "fake-atlassian"];

/// What the simulation plays: everything below the doors, with the fake Atlassian.
const SIMULATED: &[&str] = &[
    "domain",
    "store",
    "search",
    "confluence",
    "sync",
    "app",
    "fake-atlassian",
];

const EVERYTHING: &[&str] = &[
    "domain",
    "extract",
    "files",
    "store",
    "search",
    "embed",
    "confluence",
    "sync",
    "app",
    "server",
    "fake-atlassian",
];

const fn room(name: &'static str, knows: &'static [&'static str], tests_know: &'static [&'static str]) -> Room {
    Room {
        name,
        knows,
        tests_know,
    }
}

/// The crates that are there, by directory: those of `crates/` and `xtask`.
pub fn crates(root: &Path) -> io::Result<Vec<String>> {
    let mut names = BTreeSet::from(["xtask".to_owned()]);
    for entry in fs::read_dir(root.join("crates"))? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.insert(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names.into_iter().collect())
}

pub fn findings(root: &Path) -> io::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for name in crates(root)? {
        let place = match name.as_str() {
            "xtask" => "xtask/Cargo.toml".to_owned(),
            _ => format!("crates/{name}/Cargo.toml"),
        };
        let manifest = fs::read_to_string(root.join(&place))?;
        findings.extend(wrong_arrows(&place, &name, &manifest));
    }
    Ok(findings)
}

fn wrong_arrows(place: &str, name: &str, manifest: &str) -> Vec<Finding> {
    let Some(room) = ROOMS.iter().find(|room| room.name == name) else {
        let what =
            format!("{name} has no place in the architecture; give it one in ARCHITECTURE.md and in `xtask tidy`");
        return vec![Finding::new(place, what)];
    };
    let manifest: toml::Table = match manifest.parse() {
        Ok(manifest) => manifest,
        Err(error) => return vec![Finding::new(place, format!("is not TOML: {error}"))],
    };
    let mut findings = Vec::new();
    for (section, known) in sections(&manifest) {
        let for_tests = section == "dev-dependencies";
        for other in known {
            let ours = ROOMS.iter().any(|room| room.name == other);
            let allowed =
                room.knows.contains(&other.as_str()) || for_tests && room.tests_know.contains(&other.as_str());
            if ours && !allowed {
                let what = format!("{name} may not know {other} ({section}); see the floors in ARCHITECTURE.md");
                findings.push(Finding::new(place, what));
            }
        }
    }
    findings
}

const SECTIONS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Every table of dependencies, those of single targets included, with the packages it names.
fn sections(manifest: &toml::Table) -> Vec<(&'static str, Vec<String>)> {
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let tables = targets
        .into_iter()
        .flat_map(toml::Table::values)
        .filter_map(toml::Value::as_table);
    std::iter::once(manifest)
        .chain(tables)
        .flat_map(|table| {
            SECTIONS.iter().filter_map(|section| {
                let named = table.get(*section)?.as_table()?;
                Some((*section, named.iter().map(package).collect()))
            })
        })
        .collect()
}

/// The package behind a dependency, which may go by another name.
fn package((name, value): (&String, &toml::Value)) -> String {
    let renamed = value.get("package").and_then(toml::Value::as_str);
    renamed.unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrows(name: &str, manifest: &str) -> Vec<String> {
        wrong_arrows("Cargo.toml", name, manifest)
            .into_iter()
            .map(|finding| finding.what)
            .collect()
    }

    #[test]
    fn adapters_may_not_know_each_other() {
        let found = arrows(
            "store",
            "[dependencies]\ndomain.workspace = true\nsearch.workspace = true\n",
        );
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("store may not know search"), "{found:?}");
    }

    #[test]
    fn tests_may_know_more_than_the_code_they_test() {
        assert!(arrows("confluence", "[dev-dependencies]\nfake-atlassian.workspace = true\n").is_empty());
        assert_eq!(
            arrows("confluence", "[dependencies]\nfake-atlassian.workspace = true\n").len(),
            1
        );
    }

    #[test]
    fn an_arrow_is_seen_under_another_name_and_for_one_target_only() {
        let renamed = "[dependencies]\nshelf = { package = \"store\", path = \"../store\" }\n";
        assert_eq!(arrows("app", renamed).len(), 1);
        let for_target = "[target.'cfg(unix)'.dependencies]\nstore.workspace = true\n";
        assert_eq!(arrows("app", for_target).len(), 1);
    }

    #[test]
    fn libraries_of_other_people_are_nobodys_arrow() {
        assert!(arrows("domain", "[dependencies]\ntime.workspace = true\n").is_empty());
    }

    #[test]
    fn a_crate_without_a_place_is_found() {
        assert_eq!(arrows("toolbox", "").len(), 1);
    }

    #[test]
    fn no_room_may_know_itself_and_every_known_room_exists() {
        for room in &ROOMS {
            for known in room.knows.iter().chain(room.tests_know) {
                assert!(ROOMS.iter().any(|other| other.name == *known), "{known}");
                assert_ne!(room.name, *known);
            }
        }
    }
}
