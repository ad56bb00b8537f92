//! The part of the command line that asks a running Circuit.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::RemoteSettings;

pub const EXIT_CODES: &str = "\
The API key is the one of `circuit login`, or of CIRCUIT_API_KEY or CIRCUIT_API_KEY_FILE.
Exit codes: 0 done, 1 it failed, 2 the command line or what it asks is wrong, 3 it is not there, 4 the key may not,
5 Circuit does not answer or cannot now.";

pub const LOGIN: &str = "\
Examples:
  circuit login https://circuit.example.org
  circuit login https://circuit.example.org --key-file /run/secrets/circuit
  pass show circuit | circuit login https://circuit.example.org

Make the API key under Account in the app. It is asked for without showing it, or read from a file or a pipe: on a command
line everybody on the machine could read it. It is kept in circuit/logins.json in your configuration directory
($XDG_CONFIG_HOME, else ~/.config), readable by you alone. The Circuit logged in to last is the one that is asked.
Exit codes: 0 the key is kept, 1 it could not be, 2 the command line is wrong, 4 the key is refused, 5 nobody answers.";

pub const SEARCH: &str = "\
Examples:
  circuit search pump runbook
  circuit search 'title:runbook \"run dry\" -draft' --space ENG --space OPS
  circuit search pump --index Handbook --sort modified --json | jq -r '.hits[].url'

The words are read as the search box reads them: quote them for the shell. All indexes are searched unless some are named.
Exit codes: 0 it is answered, also with nothing found, 1 it failed, 2 the command line or what it asks is wrong, 3 there is no
such index, 4 the key may not, 5 Circuit does not answer or cannot now.";

pub const WATCH: &str = "\
Examples:
  circuit feed watch 3
  circuit feed sync 3 --watch && circuit search 'release notes'

In a terminal it draws bars, else a line for each tenth. It goes on in Circuit when this command is ended.
Exit codes: 0 all that it brought can be found, 1 it cannot go on by itself, 2 the command line is wrong, 3 there is no such
feed, 4 the key may not, 5 Circuit does not answer.";

pub const COMPLETIONS: &str = "\
Examples:
  circuit completions bash > ~/.local/share/bash-completion/completions/circuit
  circuit completions zsh > \"${fpath[1]}/_circuit\"
  circuit completions fish > ~/.config/fish/completions/circuit.fish";

pub const MAN: &str = "\
Examples:
  circuit man | man -l -
  circuit man /usr/local/share/man/man1";

#[derive(Args, Clone, Debug)]
pub struct Login {
    /// Where that Circuit is.
    #[arg(value_name = "URL")]
    pub url: String,
    /// The file that holds the API key; - for standard input.
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub struct Logout {
    /// Where that Circuit is [default: the one logged in to last].
    #[arg(value_name = "URL")]
    pub url: Option<String>,
}

/// How an answer is printed.
#[derive(Args, Clone, Debug, Default)]
pub struct Printing {
    /// Prints JSON, as the REST API answers.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub remote: RemoteSettings,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum SearchSort {
    /// Best first.
    #[default]
    Relevance,
    /// Newest first.
    Modified,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SearchKind {
    Page,
    Blogpost,
    Comment,
    Attachment,
}

#[derive(Args, Clone, Debug)]
pub struct Search {
    /// What to look for; without words, everything.
    #[arg(value_name = "WORDS", allow_hyphen_values = false)]
    pub words: Vec<String>,
    /// Id or name of an index; may be given several times [default: all].
    #[arg(long = "index", value_name = "INDEX")]
    pub indexes: Vec<String>,
    /// Key or name of a space, such as ENG; may be given several times.
    #[arg(long = "space", value_name = "KEY")]
    pub spaces: Vec<String>,
    /// Kind of document; may be given several times.
    #[arg(long = "type", value_name = "KIND")]
    pub kinds: Vec<SearchKind>,
    /// Label; may be given several times.
    #[arg(long = "label", value_name = "LABEL")]
    pub labels: Vec<String>,
    /// What stands first.
    #[arg(long, value_name = "ORDER", default_value = "relevance")]
    pub sort: SearchSort,
    /// Hits in the answer, 1 to 100.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub limit: u64,
    /// Goes on where an answer ended, with all else as it was.
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
    #[command(flatten)]
    pub printing: Printing,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Index {
    /// Lists the indexes.
    List(Printing),
    /// Shows an index and its feeds.
    Show(IndexAsked),
    /// Makes an index.
    Create(IndexCreate),
    /// Deletes an index with its documents and feeds.
    Delete(IndexDelete),
}

#[derive(Args, Clone, Debug)]
pub struct IndexAsked {
    /// Id or name of the index.
    #[arg(value_name = "INDEX")]
    pub index: String,
    #[command(flatten)]
    pub printing: Printing,
}

#[derive(Args, Clone, Debug)]
pub struct IndexCreate {
    /// What people will call it.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// What it is for.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub description: String,
    #[command(flatten)]
    pub printing: Printing,
}

#[derive(Args, Clone, Debug)]
pub struct IndexDelete {
    /// Id or name of the index.
    #[arg(value_name = "INDEX")]
    pub index: String,
    /// Deletes it: without this, nothing is deleted.
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub printing: Printing,
}

#[derive(Args, Clone, Debug)]
pub struct FeedList {
    /// Id or name of an index [default: all].
    #[arg(long, value_name = "INDEX")]
    pub index: Option<String>,
    #[command(flatten)]
    pub printing: Printing,
}

#[derive(Args, Clone, Debug)]
pub struct FeedAsked {
    /// Id of the feed: the number in its page's address.
    #[arg(value_name = "FEED", value_parser = clap::value_parser!(u64))]
    pub feed: u64,
    #[command(flatten)]
    pub printing: Printing,
}

#[derive(Args, Clone, Debug)]
pub struct FeedSync {
    /// Id of the feed: the number in its page's address.
    #[arg(value_name = "FEED", value_parser = clap::value_parser!(u64))]
    pub feed: u64,
    /// Shows its progress until that is done.
    #[arg(long)]
    pub watch: bool,
    #[command(flatten)]
    pub printing: Printing,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Doc {
    /// Shows a document.
    Show(DocShow),
}

#[derive(Args, Clone, Debug)]
pub struct DocShow {
    /// Its id as a search names it (1/site:123 or site:123), or its address in Confluence.
    #[arg(value_name = "ID|URL")]
    pub document: String,
    /// Id or name of its index [default: any that holds it].
    #[arg(long, value_name = "INDEX")]
    pub index: Option<String>,
    /// Prints its Markdown and nothing else.
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
    #[command(flatten)]
    pub printing: Printing,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Key {
    /// Lists your API keys.
    List(Printing),
    /// Makes an API key and prints it, this once.
    Create(KeyCreate),
    /// Deletes an API key: from then on nobody can use it.
    Revoke(KeyRevoke),
}

#[derive(Args, Clone, Debug)]
pub struct KeyCreate {
    /// What it is for.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// It may change things too; else it may search and read.
    #[arg(long)]
    pub manage: bool,
    /// Id or name of an index that it is for; may be given several times [default: all].
    #[arg(long = "index", value_name = "INDEX")]
    pub indexes: Vec<String>,
    /// The day, or the instant (RFC 3339), from when on it is refused [default: never].
    #[arg(long, value_name = "DAY")]
    pub expires: Option<String>,
    #[command(flatten)]
    pub printing: Printing,
}

#[derive(Args, Clone, Debug)]
pub struct KeyRevoke {
    /// Id of the key, as `circuit key list` names it.
    #[arg(value_name = "ID", value_parser = clap::value_parser!(u64))]
    pub key: u64,
    #[command(flatten)]
    pub printing: Printing,
}

#[derive(Args, Clone, Debug)]
pub struct Completions {
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

#[derive(Args, Clone, Debug)]
pub struct Man {
    /// Where to write a page for each command [default: the one of `circuit` is printed].
    #[arg(value_name = "DIR")]
    pub directory: Option<PathBuf>,
}
