//! A `circuit` of its own process, started, asked and killed.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use reqwest::StatusCode;
use serde_json::Value;

/// How long a process may take to listen: debug builds on a busy machine are slow.
const START_TIME_MAX: Duration = Duration::from_secs(60);

pub struct Circuit {
    child: Child,
    pub base: String,
    log: Arc<Mutex<String>>,
}

/// `circuit serve` as a command, with nothing of this environment's settings.
pub fn serve(data_dir: &Path, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_circuit"));
    command
        .arg("serve")
        .current_dir(data_dir.parent().unwrap_or(Path::new("/")))
        .env("CIRCUIT_DATA_DIR", data_dir)
        .env("CIRCUIT_ADDRESS", "127.0.0.1:0")
        .env("CIRCUIT_LOG_FORMAT", "json")
        .envs(settings.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// Runs it to its end; one that goes on instead of ending is killed, and shows in its status.
#[allow(dead_code)] // The benchmark, which shares this file, has no use for it.
pub fn ended(mut command: Command) -> std::process::Output {
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let until = std::time::Instant::now() + START_TIME_MAX;
    while child.try_wait().unwrap().is_none() {
        if std::time::Instant::now() > until {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

impl Circuit {
    /// Starts it and waits until it listens.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (found, address) = mpsc::channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let kept = log.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let fields: Value = serde_json::from_str(&line).unwrap_or_default();
                if let Some(address) = fields["fields"]["address"].as_str() {
                    // Nobody waits any more when it is said twice.
                    let _ = found.send(address.to_owned());
                }
                let mut kept = kept.lock().unwrap();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        let address = address
            .recv_timeout(START_TIME_MAX)
            .unwrap_or_else(|_| panic!("it did not listen: {}", log.lock().unwrap()));
        Self {
            child,
            base: format!("http://{address}"),
            log,
        }
    }

    #[allow(dead_code)] // The benchmark, which shares this file, has no use for it.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// As a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; how it ended.
    pub fn stop(mut self) -> std::process::ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap()
    }

    /// The most memory it ever held, in kB (`VmHWM` of proc(5)); zero where that is not told.
    #[allow(dead_code)] // Of the benchmark, which shares this file.
    pub fn peak_memory_kb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok())
            .unwrap_or(0)
    }

    pub async fn get(&self, key: &str, path: &str) -> (StatusCode, Value) {
        answered(
            reqwest::Client::new()
                .get(format!("{}{path}", self.base))
                .bearer_auth(key),
        )
        .await
    }

    pub async fn post(&self, key: &str, path: &str, body: &Value) -> (StatusCode, Value) {
        answered(
            reqwest::Client::new()
                .post(format!("{}{path}", self.base))
                .bearer_auth(key)
                .json(body),
        )
        .await
    }
}

async fn answered(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status();
    (status, answer.json().await.unwrap_or_default())
}

impl Drop for Circuit {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
