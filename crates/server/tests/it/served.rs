//! The program `axiam serve` in a process of its own.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use server::platform::db;

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
        db::make_private_folder(data).unwrap();
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

    pub(crate) fn logged(&self, words: &str) -> bool {
        until(|| fs::read_to_string(&self.log).unwrap().contains(words))
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
