//! `circuit completions` and `circuit man`: what the command line tells of itself.

use std::io::Write;

use clap::CommandFactory;
use domain::{Error, Result};

use crate::{
    cli::{Cli, Completions, Man},
    terminal,
};

/// `circuit completions`.
pub fn completions(asked: &Completions) {
    let mut text = Vec::new();
    clap_complete::generate(asked.shell, &mut Cli::command(), "circuit", &mut text);
    terminal::print(&String::from_utf8_lossy(&text));
}

/// `circuit man`.
pub fn man(asked: &Man) -> Result<()> {
    let failed = |error: std::io::Error| Error::internal(format!("the manual pages cannot be written: {error}"));
    let Some(directory) = &asked.directory else {
        let mut text = Vec::new();
        clap_mangen::Man::new(Cli::command())
            .render(&mut text)
            .map_err(failed)?;
        return std::io::stdout().write_all(&text).map_err(failed);
    };
    std::fs::create_dir_all(directory).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), directory).map_err(failed)
}
