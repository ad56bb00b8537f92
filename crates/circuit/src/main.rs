//! Reads the command line and runs what it says.

use std::process::ExitCode;

use circuit::{
    backup,
    cli::{self, Cli, Command},
    demo, doctor, document, ending, eval, feed, feeds, indexes, keys, login, manual, mcp, restore, searching, serve,
    stop, verify, watching, why,
};
use clap::Parser;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if matches!(cli.command, Command::ReadFile) {
        // Before there is a thread, a setting or a log: it gives up nearly everything that a process may do.
        return files::sandbox::child();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("circuit: the system gives no threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    // Those that were there first end with 1 whatever happened.
    let coded = match &cli.command {
        Command::Login(_)
        | Command::Logout(_)
        | Command::Search(_)
        | Command::Index(_)
        | Command::Doc(_)
        | Command::Key(_) => true,
        Command::Feed(feed) => !matches!(feed, cli::Feed::Estimate(_) | cli::Feed::Verify(_)),
        _ => false,
    };
    let result = runtime.block_on(async {
        match cli.command {
            Command::Serve(settings) => serve::serve(&settings).await,
            Command::Demo(demo) => demo::demo(&demo).await,
            Command::FakeAtlassian(fake) => demo::fake_atlassian(&fake).await,
            Command::Doctor(settings) => doctor::doctor(&settings).await,
            Command::Login(asked) => login::login(&asked).await,
            Command::Logout(asked) => login::logout(&asked),
            Command::Search(asked) => searching::search(&asked).await,
            Command::Index(asked) => indexes::index(&asked).await,
            Command::Doc(cli::Doc::Show(asked)) => document::show(&asked).await,
            Command::Key(asked) => keys::key(&asked).await,
            Command::Feed(cli::Feed::List(asked)) => feeds::list(&asked).await,
            Command::Feed(cli::Feed::Status(asked)) => feeds::status(&asked).await,
            Command::Feed(cli::Feed::Sync(asked)) => feeds::sync(&asked).await,
            Command::Feed(cli::Feed::Watch(asked)) => watching::watch(&asked).await,
            Command::Feed(cli::Feed::Pause(asked)) => feeds::told(&asked, "pause").await,
            Command::Feed(cli::Feed::Resume(asked)) => feeds::told(&asked, "resume").await,
            Command::Completions(asked) => {
                manual::completions(&asked);
                Ok(())
            }
            Command::Man(asked) => manual::man(&asked),
            Command::Feed(cli::Feed::Estimate(asked)) => feed::estimate(&asked).await,
            Command::Feed(cli::Feed::Verify(asked)) => verify::verify(&asked).await,
            Command::Why(asked) => why::why(&asked).await,
            Command::Mcp(asked) => mcp::mcp(&asked).await,
            Command::Backup(settings) => backup::backup(&settings).await,
            Command::Restore(settings) => restore::restore(&settings).await,
            Command::Eval(asked) => eval::eval(&asked).await,
            Command::Reindex(settings) => serve::reindex(&settings).await,
            Command::ReadFile => Ok(()),
        }
    });
    // Work that does not end by itself must not hold the process: everything acknowledged is on disk already.
    runtime.shutdown_timeout(stop::LAST_MOMENT);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::debug!(error = ?error, "Circuit ends with an error");
            eprintln!("circuit: {error}");
            match coded {
                true => ExitCode::from(ending::exit_code(&error)),
                false => ExitCode::FAILURE,
            }
        }
    }
}
