//! The program `axiam serve` in a process of its own.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use server::platform::private_file;
use testkit::Answer;

/// Longest wait for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server of its own, with the address it printed.
pub(crate) struct Served {
    pub(crate) child: Child,
    /// Where it says that it is.
    pub(crate) url: String,
    /// Its data folder.
    pub(crate) data: PathBuf,
    /// What it wrote on standard error.
    pub(crate) log: PathBuf,
    _folder: Option<tempfile::TempDir>,
}

/// `axiam` with a data folder, without the settings of whoever runs the tests.
pub(crate) fn axiam(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_axiam"));
    command
        .env_remove("AXIAM_DATABASE_URL")
        .env_remove("AXIAM_REDIS_URL")
        .arg("--data-dir")
        .arg(data)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    command
}

impl Served {
    /// On a free port, with a folder of its own.
    pub(crate) fn start(change: impl FnOnce(&mut Command)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut served = Self::start_in(folder.path(), |command| {
            command.args(["serve", "--listen", "127.0.0.1:0"]);
            change(command);
        });
        served._folder = Some(folder);
        served
    }

    /// As `change` has it, which says what to run.
    pub(crate) fn start_in(data: &Path, change: impl FnOnce(&mut Command)) -> Self {
        private_file::make_folder(data).unwrap();
        let log = data.join("log");
        let mut command = axiam(data);
        command
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log).unwrap());
        change(&mut command);
        let mut child = command.spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut first)
            .unwrap();
        let url = first
            .split_whitespace()
            .find(|word| word.starts_with("http"));
        let url = url.unwrap_or_else(|| panic!("{first}{}", fs::read_to_string(&log).unwrap()));
        Self {
            url: url.to_owned(),
            child,
            data: data.to_owned(),
            log,
            _folder: None,
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.unwrap().success());
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.child.wait().unwrap()
    }

    /// A new site, and its backend.
    pub(crate) async fn site(&self) -> Site {
        let created = axiam(&self.data)
            .args(["site", "create", "--url", "https://a.example", "--json"])
            .output()
            .unwrap();
        let keys: Value = serde_json::from_slice(&created.stdout).unwrap();
        let mut site = Site {
            id: keys["site_id"].as_str().unwrap().to_owned(),
            url: format!("{}/api/v1/facial_sign_on", self.url),
            token: String::new(),
        };
        let keys = json!({ "api_key": keys["api_key"], "secret_key": keys["secret_key"] });
        let answer = site.post("/application_auth", keys).await;
        site.token = answer.text("authenticated_token");
        site
    }

    pub(crate) fn logged(&self, words: &str) -> bool {
        until(|| fs::read_to_string(&self.log).unwrap().contains(words))
    }
}

/// A site of a server, as its backend sees it.
pub(crate) struct Site {
    pub(crate) id: String,
    url: String,
    token: String,
}

impl Site {
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        let request = reqwest::Client::new().post(format!("{}{path}", self.url));
        let request = if self.token.is_empty() {
            request
        } else {
            request.bearer_auth(&self.token)
        };
        Answer::to(request.json(&body)).await
    }

    /// A new client's id.
    pub(crate) async fn client(&self, email: &str) -> String {
        let body = json!({ "email": email, "full_name": "Ann" });
        self.post("/client/create", body).await.text("client_id")
    }

    /// What a phone of the client pairs by.
    pub(crate) async fn link(&self, client: &str) -> String {
        let code = json!({ "id": client, "flow_type": "signup" });
        let answer = self.post("/client/qrcode", code).await;
        answer.text("enrollment_url")
    }
}

/// Whether something becomes true before patience ends.
pub(crate) fn until(is_true: impl Fn() -> bool) -> bool {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if is_true() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

/// Whether the tests run as root.
pub(crate) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
