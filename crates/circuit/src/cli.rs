//! The command line.

mod asking;

use std::path::PathBuf;

pub use asking::*;
use clap::{Args, Parser, Subcommand};

const ABOUT: &str = "Makes what a company wrote in Confluence findable, and keeps it true.";

const AFTER: &str = "\
First steps:
  circuit demo              try Circuit on a made-up company, without any account
  circuit serve             run it; open the address it prints and make the administrator's account
  circuit doctor            check configuration, data directory and the way to Atlassian

Settings come from circuit.toml, then CIRCUIT_* variables, then flags; the later one wins.";

#[derive(Debug, Parser)]
#[command(name = "circuit", version, about = ABOUT, after_help = AFTER, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs Circuit: web app, REST API, import and search.
    #[command(after_help = "\
Example:
  CIRCUIT_ATLASSIAN_CLIENT_ID=… CIRCUIT_ATLASSIAN_CLIENT_SECRET_FILE=/run/secrets/atlassian \\
  circuit serve --data-dir /var/lib/circuit --address 0.0.0.0:8470 --public-url https://circuit.example.org

The client id and secret may also be entered in the app, under \"Atlassian app\" in the navigation.
SIGTERM or Ctrl-C stops it cleanly within ten seconds.")]
    Serve(Settings),

    /// Runs Circuit on a made-up company: fresh temporary data, a fake Atlassian, an administrator already signed in.
    #[command(after_help = "\
Open the printed address, then: New index → Integrations → New integration → Import from Confluence.
Everything is gone when it ends.")]
    Demo(Demo),

    /// Runs only the fake Atlassian, for other programs to talk to.
    FakeAtlassian(FakeAtlassian),

    /// Checks the configuration, the data directory, the address and the way to Atlassian, and says what to mend.
    Doctor(Settings),

    /// Keeps an API key of a running Circuit, so that the commands below need no other.
    #[command(after_help = LOGIN)]
    Login(Login),

    /// Forgets the API key of a Circuit.
    Logout(Logout),

    /// Searches a running Circuit.
    #[command(after_help = SEARCH)]
    Search(Search),

    /// Lists, shows, makes and deletes indexes of a running Circuit.
    #[command(subcommand, after_help = EXIT_CODES)]
    Index(Index),

    /// Asks a running Circuit about its feeds, and tells them what to do.
    #[command(subcommand)]
    Feed(Feed),

    /// Shows documents of a running Circuit.
    #[command(subcommand, after_help = EXIT_CODES)]
    Doc(Doc),

    /// Lists, makes and revokes your API keys.
    #[command(subcommand, after_help = EXIT_CODES)]
    Key(Key),

    /// Says why a page is found or missing.
    #[command(after_help = "\
Examples:
  export CIRCUIT_URL=https://circuit.example.org CIRCUIT_API_KEY=…
  circuit why https://acme.atlassian.net/wiki/spaces/ENG/pages/98432/Release+notes
  circuit why --index 2 https://acme.atlassian.net/wiki/x/gIAB
  circuit why --json 98432 | jq -r .reason

URL is an address as the browser shows it, a link from Share, or a page's number; quote it if it holds & or ?. What stands
outside the chosen spaces is not asked for. It costs nothing, or a few points when Atlassian has to be asked.
Exit codes: 0 it is said, 1 it could not be found out, 2 the command line is wrong.")]
    Why(Why),

    /// Lets an agent on this machine ask a running Circuit, over MCP on standard input and output.
    #[command(after_help = "\
Examples:
  circuit mcp --url https://circuit.example.org --key-file ~/.config/circuit/env
  CIRCUIT_API_KEY_FILE=/run/secrets/agent circuit mcp

The client starts it; it is not for typing into. A client that speaks Streamable HTTP needs no such bridge: it asks
URL/mcp with the API key as bearer. Make a key that may only read, for one index, on that index's page \"Connect an agent\".
The key file holds the key alone, or a line CIRCUIT_API_KEY=…
Exit codes: 0 the client closed the pipe, 1 no Circuit answers or it refuses the key, 2 the command line is wrong.")]
    Mcp(Mcp),

    /// Copies the store and its key, consistently, also while Circuit runs.
    #[command(after_help = "\
DEST becomes a new directory with circuit.db, secret.key and SHA256SUMS. It appears when it is whole and proven, and not
before; what is there already is not touched. The search index is not copied: it is built anew from the store.

The key opens the tokens in the store: whoever holds the backup can read Confluence as the people who connected it. Keep
it as closed as Circuit itself, or use --without-key and keep the key elsewhere: without it a restored Circuit has all
documents, but every integration must reconnect.

Examples:
  circuit backup --data-dir /var/lib/circuit /backup/circuit-$(date +%F)
  circuit backup --data-dir /var/lib/circuit --without-key /backup/monday

It ends with 0 when the backup is whole, else with 1 and what to do.")]
    Backup(Backup),

    /// Puts a backup into an empty data directory.
    #[command(after_help = "\
The backup is copied and proven before it counts: checksums, every page of the database, every sealed secret. The data
directory must be empty or absent. The search index is built from the store at the next start; Atlassian is not asked.

Refresh tokens change with each use, so those of an old backup are mostly dead: such an integration says \"needs
reconnect\" and keeps its documents. For a trial beside a Circuit that runs, use --without-tokens: two that refresh the
same token end each other's connection.

Examples:
  circuit restore /backup/circuit-2026-11-24 --data-dir /var/lib/circuit
  circuit restore /backup/monday --key /run/secrets/circuit.key --data-dir /var/lib/circuit
  circuit restore /backup/monday --without-tokens --data-dir /tmp/trial")]
    Restore(Restore),

    /// Measures how well the search finds what people judged to answer their questions.
    #[command(after_help = "\
Examples:
  circuit eval --corpus cranfield
  circuit eval --corpus cranfield --model all-MiniLM-L6-v2
  circuit eval --corpus cranfield --json | jq .lexical.ndcg_at_10.mean

DIR is in the BEIR layout: corpus.jsonl (_id, title, text), queries.jsonl (_id, text), and qrels.tsv or qrels/test.tsv
(query, document, grade). Every document is indexed as a page, in a temporary directory; nothing else is touched.")]
    Eval(Eval),

    /// Throws the search indexes away and builds them anew from the store, without a call to Atlassian.
    #[command(after_help = "Stop Circuit first: a data directory belongs to one process at a time.")]
    Reindex(Settings),

    /// Prints what a shell needs to complete this command line.
    #[command(after_help = COMPLETIONS)]
    Completions(Completions),

    /// Prints the manual page, or writes one for each command into a directory.
    #[command(after_help = MAN)]
    Man(Man),

    /// Reads one file for the Circuit that started this process.
    #[command(hide = true)]
    ReadFile,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Feed {
    /// Lists the feeds of all indexes, or of one.
    #[command(after_help = EXIT_CODES)]
    List(FeedList),

    /// Says how a feed is.
    #[command(after_help = EXIT_CODES)]
    Status(FeedAsked),

    /// Has a feed read everything again now.
    #[command(after_help = EXIT_CODES)]
    Sync(FeedSync),

    /// Shows a feed's progress until everything it brought can be found.
    #[command(after_help = WATCH)]
    Watch(FeedAsked),

    /// Stops a feed until it is resumed.
    #[command(after_help = EXIT_CODES)]
    Pause(FeedAsked),

    /// Lets a paused feed go on where it was.
    #[command(after_help = EXIT_CODES)]
    Resume(FeedAsked),

    /// Says about how much spaces hold, and what importing them and keeping them up to date will cost at Atlassian.
    #[command(after_help = "\
Examples:
  export CIRCUIT_URL=https://circuit.example.org CIRCUIT_API_KEY=…
  circuit feed estimate 3                         the spaces that feed 3 carries
  circuit feed estimate 3 --space ENG --space OPS those two, carried already or not
  circuit feed estimate 3 --json | jq .import.points

It changes nothing, and costs a handful of points itself. An API key is made under Account in the app.
Exit codes: 0 it is said, 1 it could not be found out, 2 the command line is wrong.")]
    Estimate(FeedEstimate),

    /// Walks the site now, and prints in what the index differs from it: nothing, when all is well.
    #[command(after_help = "\
Examples:
  circuit feed verify 3
  circuit feed verify 3 --json | jq '.differences[].title'

It costs what reading everything costs (circuit feed estimate says how much), and changes neither site nor index. What is
written while it goes on is no difference. It goes on in Circuit when this command is ended.
Exit codes: 0 no difference, 1 some, or it could not be found out, 2 the command line is wrong.")]
    Verify(FeedVerify),
}

#[derive(Args, Clone, Debug)]
pub struct Eval {
    /// The directory with documents, queries and judgements.
    #[arg(long, value_name = "DIR")]
    pub corpus: PathBuf,
    /// The directory of a model: measures the search by meaning, and by both, as well.
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// How many of the worst answered queries are named.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub worst: usize,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Clone, Debug)]
pub struct FeedVerify {
    /// Id of the feed: the number in its page's address.
    #[arg(value_name = "FEED", value_parser = clap::value_parser!(u64))]
    pub feed: u64,
    /// Prints JSON: the run, its differences, its failures and its notes.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub remote: RemoteSettings,
}

#[derive(Args, Clone, Debug)]
pub struct Why {
    /// Where the page is in Confluence.
    #[arg(value_name = "URL")]
    pub address: String,
    /// Id of the index: the number in its page's address [default: the only one there is].
    #[arg(long, value_name = "INDEX", value_parser = clap::value_parser!(u64))]
    pub index: Option<u64>,
    /// Prints JSON, as `GET /api/v1/indexes/INDEX/explain` answers.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub remote: RemoteSettings,
}

#[derive(Args, Clone, Debug)]
pub struct FeedEstimate {
    /// Id of the feed: the number in its page's address.
    #[arg(value_name = "FEED", value_parser = clap::value_parser!(u64))]
    pub feed: u64,
    /// Key of a space, such as ENG; may be given several times [default: the spaces that the feed carries].
    #[arg(long = "space", value_name = "KEY")]
    pub spaces: Vec<String>,
    /// Prints JSON, as `POST /api/v1/feeds/FEED/estimate` answers.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub remote: RemoteSettings,
}

#[derive(Args, Clone, Debug)]
pub struct Mcp {
    /// The file that holds the API key [variable: CIRCUIT_API_KEY_FILE].
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    #[command(flatten)]
    pub remote: RemoteSettings,
}

/// Which Circuit is asked. The API key is read from CIRCUIT_API_KEY or CIRCUIT_API_KEY_FILE, or is the one that `circuit
/// login` keeps for that Circuit: on a command line everybody on the machine could read it.
#[derive(Args, Clone, Debug, Default)]
pub struct RemoteSettings {
    /// Where that Circuit is [default: the last one logged in to, or http://localhost:8470] [variable: CIRCUIT_URL].
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
}

#[derive(Args, Clone, Debug, Default)]
pub struct Settings {
    /// The configuration file [default: circuit.toml, if it is there].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where everything is kept [default: ./circuit-data] [variable: CIRCUIT_DATA_DIR].
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// Where to listen; port 0 lets the system choose [default: 127.0.0.1:8470] [variable: CIRCUIT_ADDRESS].
    #[arg(long, value_name = "HOST:PORT")]
    pub address: Option<String>,
    /// Where people reach it, if not at that address [variable: CIRCUIT_PUBLIC_URL].
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// What to log, such as `info` or `info,sync=debug` [variable: CIRCUIT_LOG].
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,
    /// `human` or `json` [variable: CIRCUIT_LOG_FORMAT].
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,
}

#[derive(Args, Clone, Debug)]
pub struct Backup {
    /// The directory to make; it must not exist yet.
    #[arg(value_name = "DEST")]
    pub destination: PathBuf,
    /// Leaves the key out: what is sealed in the backup stays closed without it.
    #[arg(long)]
    pub without_key: bool,
    #[command(flatten)]
    pub place: Place,
}

#[derive(Args, Clone, Debug)]
pub struct Restore {
    /// A directory that `circuit backup` made.
    #[arg(value_name = "SOURCE")]
    pub source: PathBuf,
    /// The key, if the backup was made without.
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Deletes the tokens in the restored store: every integration must reconnect.
    #[arg(long)]
    pub without_tokens: bool,
    #[command(flatten)]
    pub place: Place,
}

/// Where the data is, and nothing else.
#[derive(Args, Clone, Debug, Default)]
pub struct Place {
    /// The configuration file [default: circuit.toml, if it is there].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Circuit's data directory [default: ./circuit-data] [variable: CIRCUIT_DATA_DIR].
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
}

impl From<&Place> for Settings {
    fn from(place: &Place) -> Self {
        Self {
            config: place.config.clone(),
            data_dir: place.data_dir.clone(),
            ..Self::default()
        }
    }
}

#[derive(Args, Clone, Debug)]
pub struct Demo {
    /// The port of the web app; 0 lets the system choose [default: 8470, or any other when that is taken].
    #[arg(long)]
    pub port: Option<u16>,
    /// Has a site connected and imported already.
    #[arg(long)]
    pub connected: bool,
    /// Uses a generated site with this many pages instead of the made-up company.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub pages: Option<u64>,
    /// Milliseconds that the fake Atlassian takes for each answer.
    #[arg(long, value_name = "MS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=60_000))]
    pub latency: u64,
    /// Prints one line of JSON: url, sign_in_url, api_key, fake, control, and with --connected index and feed.
    #[arg(long)]
    pub json: bool,
    /// What to log [default: warn].
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,
    /// Keeps the data in this directory, which must be empty or absent, instead of a temporary one.
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub struct FakeAtlassian {
    /// The port; 0 lets the system choose.
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Prints one line of JSON: base, control, sites, and for each person a token that works.
    #[arg(long)]
    pub json: bool,
    /// Uses a generated site with this many pages instead of the made-up company.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub pages: Option<u64>,
    /// Milliseconds that each answer takes.
    #[arg(long, value_name = "MS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=60_000))]
    pub latency: u64,
    /// What to log [default: warn].
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,
}
