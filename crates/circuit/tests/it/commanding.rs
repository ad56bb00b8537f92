//! The command line asks a Circuit that runs: the real binary on both sides.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_circuit");

/// `circuit demo --connected`, and a home of its own for whoever asks it.
struct Demo {
    child: Child,
    told: Value,
    home: tempfile::TempDir,
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Demo {
    fn start() -> Self {
        let mut child = Command::new(BINARY)
            .args(["demo", "--connected", "--json", "--port", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        Self {
            child,
            told: serde_json::from_str(&line).unwrap(),
            home: tempfile::tempdir().unwrap(),
        }
    }

    fn told(&self, name: &str) -> &str {
        self.told[name].as_str().unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CIRCUIT_")) {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .current_dir(self.home.path())
            .env("HOME", self.home.path())
            .env_remove("XDG_CONFIG_HOME")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What it prints, when all goes well.
    fn said(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let said = self.said(&[arguments, &["--json"]].concat());
        assert_eq!(said.lines().count(), 1, "{said}");
        serde_json::from_str(&said).unwrap()
    }

    /// With which code it ends, and what it says of it.
    fn refused(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(arguments);
        assert!(output.stdout.is_empty(), "{arguments:?}: {output:?}");
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    /// Logs in with this key, which comes through a pipe.
    fn login(&self, key: &str) -> Output {
        let mut child = self.command(&["login", self.told("url")]);
        let mut child = child
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(format!("{key}\n").as_bytes())
            .unwrap();
        child.wait_with_output().unwrap()
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_command_line_is_a_client_of_a_running_circuit() {
    let demo = Demo::start();
    logging_in(&demo);
    let (index, feed) = (demo.told("index").to_owned(), demo.told("feed").to_owned());
    // Without a terminal it tells in lines, and ends when all can be found.
    let watched = demo.run(&["feed", "watch", &feed]);
    assert!(watched.status.success(), "{watched:?}");
    let (out, err) = (
        String::from_utf8(watched.stdout).unwrap(),
        String::from_utf8(watched.stderr).unwrap(),
    );
    assert!(
        out.contains("is up to date") && err.lines().count() >= 1 && !err.contains('\u{1b}'),
        "{out}{err}"
    );
    searching(&demo);
    indexes(&demo, &index);
    feeds(&demo, &feed);
    keys(&demo);
    let gone = demo.said(&["logout"]);
    assert!(gone.contains(demo.told("url")), "{gone}");
    let (code, why) = demo.refused(&["search", "--url", demo.told("url"), "pump"]);
    assert!(code == 4 && why.contains("circuit login"), "{code} {why}");
}

fn logging_in(demo: &Demo) {
    let url = demo.told("url");
    let wrong = demo.login("circuit_wrong");
    assert_eq!(wrong.status.code(), Some(4), "{wrong:?}");
    let kept = demo.home.path().join(".config/circuit/logins.json");
    assert!(!kept.exists(), "a key that is refused is not kept");
    let login = demo.login(demo.told("api_key"));
    assert!(login.status.success(), "{login:?}");
    let said = String::from_utf8(login.stdout).unwrap();
    assert!(said.contains(url) && !said.contains(demo.told("api_key")), "{said}");
    assert_eq!((mode(&kept), mode(kept.parent().unwrap())), (0o600, 0o700));
    // From a file too.
    let file = demo.home.path().join("key");
    std::fs::write(&file, format!("CIRCUIT_API_KEY={}\n", demo.told("api_key"))).unwrap();
    demo.said(&["login", url, "--key-file", file.to_str().unwrap()]);
    let (code, why) = demo.refused(&["login", "http://127.0.0.1:9", "--key-file", file.to_str().unwrap()]);
    assert!(code == 5 && why.contains("does not answer"), "{code} {why}");
    // One that others can read is not used.
    std::fs::set_permissions(&kept, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (code, why) = demo.refused(&["index", "list"]);
    assert!(code == 1 && why.contains("chmod 600"), "{code} {why}");
    std::fs::set_permissions(&kept, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn searching(demo: &Demo) {
    let plain = demo.said(&["search", "pump", "runbook", "--limit", "3"]);
    assert!(plain.contains("3 shown.") && !plain.contains('\u{1b}'), "{plain}");
    let found = demo.json(&["search", "pump", "runbook", "--limit", "3", "--type", "page"]);
    let hits = found["hits"].as_array().unwrap();
    assert!(
        hits.len() == 3 && hits.iter().all(|hit| hit["kind"] == "page"),
        "{found}"
    );
    let cursor = found["next_cursor"].as_str().unwrap();
    let next = demo.json(&[
        "search", "pump", "runbook", "--limit", "3", "--type", "page", "--cursor", cursor,
    ]);
    assert!(
        hits.iter()
            .all(|hit| next["hits"][0]["document_id"] != hit["document_id"])
    );
    let elsewhere = demo.said(&["search", "pump", "--space", "NOSUCH"]);
    assert!(
        elsewhere.contains("Nothing found.") && elsewhere.contains("in other spaces: "),
        "{elsewhere}"
    );
    assert_eq!(demo.refused(&["search", "pump", "--index", "Nowhere"]).0, 3);
    assert_eq!(demo.refused(&["search", "pump", "--cursor", "x"]).0, 2);
    assert_eq!(demo.refused(&["search", "pump", "--limit", "0"]).0, 2);
    assert_eq!(
        demo.refused(&["search", "pump", "--url", "http://127.0.0.1:9"]).0,
        4,
        "no key is sent where it is not for"
    );
    // The hit is a document, by its id and by its address.
    let hit = &hits[0];
    let id = format!(
        "{}/{}",
        hit["index_id"].as_str().unwrap(),
        hit["document_id"].as_str().unwrap()
    );
    let title = hit["title"].as_str().unwrap();
    assert!(demo.said(&["doc", "show", &id]).contains(title));
    let by_address = demo.json(&["doc", "show", hit["url"].as_str().unwrap()]);
    assert_eq!(by_address["id"], hit["document_id"]);
    let markdown = demo.said(&["doc", "show", hit["document_id"].as_str().unwrap(), "--markdown"]);
    assert!(markdown.starts_with("# "), "{markdown}");
    assert_eq!(demo.refused(&["doc", "show", "1/site:999"]).0, 3);
}

fn indexes(demo: &Demo, index: &str) {
    assert!(demo.said(&["index", "list"]).contains("Company knowledge"));
    assert_eq!(demo.json(&["index", "show", "company KNOWLEDGE"])["id"], index);
    let made = demo.json(&["index", "create", "Lab", "--description", "Trials"]);
    assert_eq!(demo.refused(&["index", "create", "Lab"]).0, 1, "the name is taken");
    let (code, why) = demo.refused(&["index", "delete", "Lab"]);
    assert!(code == 2 && why.contains("--yes"), "{code} {why}");
    demo.said(&["index", "delete", made["id"].as_str().unwrap(), "--yes"]);
    assert_eq!(demo.refused(&["index", "show", made["id"].as_str().unwrap()]).0, 3);
}

fn feeds(demo: &Demo, feed: &str) {
    assert!(demo.said(&["feed", "list"]).contains("up to date"));
    assert!(demo.said(&["feed", "status", feed]).contains("norrhav"));
    assert!(demo.said(&["feed", "pause", feed]).contains("paused"));
    let (code, why) = demo.refused(&["feed", "sync", feed]);
    assert!(code == 1 && why.contains("paused"), "{code} {why}");
    assert!(demo.said(&["feed", "resume", feed]).contains("active"));
    let synced = demo.json(&["feed", "sync", feed, "--watch"]);
    assert_eq!(synced["headline"], "up to date");
    assert_eq!(demo.refused(&["feed", "status", "999"]).0, 3);
}

fn keys(demo: &Demo) {
    let made = demo.run(&[
        "key",
        "create",
        "Agent",
        "--index",
        "Company knowledge",
        "--expires",
        "2099-01-31",
    ]);
    let secret = String::from_utf8(made.stdout).unwrap();
    assert!(
        secret.starts_with("circuit_") && secret.lines().count() == 1,
        "{secret}"
    );
    let reading = demo
        .command(&["index", "create", "No"])
        .env("CIRCUIT_API_KEY", secret.trim())
        .env("CIRCUIT_URL", demo.told("url"))
        .output()
        .unwrap();
    assert_eq!(reading.status.code(), Some(4), "{reading:?}");
    let listed = demo.json(&["key", "list"]);
    let agent = listed["api_keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["name"] == "Agent")
        .unwrap();
    assert_eq!(
        (&agent["right"], &agent["expires_at"]),
        (&"read".into(), &"2099-01-31T00:00:00.000Z".into())
    );
    demo.said(&["key", "revoke", agent["id"].as_str().unwrap()]);
    assert!(!demo.said(&["key", "list"]).contains("Agent"));
}

#[test]
fn the_command_line_tells_of_itself() {
    let home = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = Command::new(BINARY)
            .args(arguments)
            .current_dir(home.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    for shell in ["bash", "zsh", "fish"] {
        let completions = run(&["completions", shell]);
        assert!(
            completions.contains("circuit") && completions.contains("watch"),
            "{shell}"
        );
    }
    assert!(run(&["man"]).contains(".TH circuit"));
    run(&["man", "pages"]);
    for page in ["circuit.1", "circuit-feed-watch.1", "circuit-search.1"] {
        let text = std::fs::read_to_string(home.path().join("pages").join(page)).unwrap();
        assert!(text.contains(".SH"), "{page}");
    }
    assert!(
        !home.path().join("pages/circuit-read-file.1").exists(),
        "what is hidden is not told"
    );
}
