//! Given the documents, gives links that lead nowhere and crates that nobody explained.

use std::{fs, io, path::Path};

use super::{Finding, arrows};

const MAP: &str = "ARCHITECTURE.md";

/// Crates that the map does not name.
pub fn unnamed_crates(root: &Path) -> io::Result<Vec<Finding>> {
    let map = fs::read_to_string(root.join(MAP))?;
    let unnamed = |name: &String| !map.contains(&format!("`{name}`"));
    Ok(arrows::crates(root)?
        .into_iter()
        .filter(unnamed)
        .map(|name| Finding::new(MAP, format!("does not name the crate `{name}`")))
        .collect())
}

/// Relative links to files that are not there.
pub fn broken_links(root: &Path, file: &str, text: &str) -> Vec<Finding> {
    let from = root.join(file);
    let folder = from.parent().unwrap_or(root);
    links(text)
        .into_iter()
        .filter(|(_, target)| !folder.join(target).exists())
        .map(|(line, target)| {
            Finding::new(
                format!("{file}:{line}"),
                format!("links to {target}, which is not there"),
            )
        })
        .collect()
}

/// Relative targets with their lines. Fenced and inline code holds no links.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    let mut fenced = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect();
        let inline = prose.split("](").skip(1).filter_map(|after| after.split(')').next());
        let html = ["src=\"", "href=\""]
            .into_iter()
            .flat_map(|mark| prose.split(mark).skip(1).filter_map(|after| after.split('"').next()));
        for target in inline.chain(html) {
            let target = target.split(['#', ' ']).next().unwrap_or_default();
            let elsewhere = target.contains("://") || target.starts_with("mailto:");
            if !target.is_empty() && !elsewhere {
                links.push((number + 1, target.to_owned()));
            }
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_links_are_found_and_others_are_left_alone() {
        let text = "See [a](docs/a.md#part) and ![b](b.png \"title\").\n[c](https://example.org) [d](#here) `[e](e.md)`\n\
                    ```\n[f](f.md)\n```\n<img src=\"g.png\">\n";
        let found: Vec<String> = links(text).into_iter().map(|(_, target)| target).collect();
        assert_eq!(found, ["docs/a.md", "b.png", "g.png"]);
    }

    #[test]
    fn a_link_to_a_file_that_is_not_there_is_named_with_its_line() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let found = broken_links(root, "README.md", "[here](Cargo.toml)\n[nowhere](nowhere.md)\n");
        assert_eq!(
            found,
            [Finding::new("README.md:2", "links to nowhere.md, which is not there")]
        );
    }
}
