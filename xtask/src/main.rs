//! Chores of the repository: `cargo xtask tidy`.

mod tidy;

use std::{path::Path, process::ExitCode};

const USAGE: &str = "\
Chores of the repository.

  cargo xtask tidy    check the rules that the compiler does not know (see ARCHITECTURE.md)";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["tidy"] => tidy(),
        [] | ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("{USAGE}");
            ExitCode::FAILURE
        }
    }
}

fn tidy() -> ExitCode {
    let Some(root) = Path::new(env!("CARGO_MANIFEST_DIR")).parent() else {
        eprintln!("xtask: it does not stand in a repository");
        return ExitCode::FAILURE;
    };
    match tidy::findings(root) {
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
        Ok((files, findings)) if findings.is_empty() => {
            println!("tidy: {files} files, nothing to mend");
            ExitCode::SUCCESS
        }
        Ok((_, findings)) => {
            for finding in &findings {
                eprintln!("{finding}");
            }
            eprintln!("tidy: {} to mend", findings.len());
            ExitCode::FAILURE
        }
    }
}
