//! What starting a PostgreSQL and starting a Redis have in common.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::unistd::Pid;

use crate::Problem;
use crate::reaper::Reaper;

/// How long a server may take until it answers.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// How often a port that somebody else was quicker to take is tried again with another one.
const TRIES: usize = 5;
/// How many lines of a log are shown when a server does not start.
const LAST_LINES: usize = 15;

/// A server that answers. It is stopped by the reaper, never from here.
#[derive(Debug)]
pub(crate) struct Running {
    /// The address for clients.
    pub(crate) url: String,
}

/// One way to start a server on a port.
pub(crate) trait Recipe {
    /// What people call it.
    fn name(&self) -> &'static str;
    /// The command that runs it in the foreground on this port.
    fn command(&self, port: u16) -> Command;
    /// Whether this very process (and not a stranger on the same port) answers on the port.
    fn answers(&self, child: Pid, port: u16) -> bool;
    /// Where its output goes.
    fn log(&self) -> PathBuf;
}

/// Starts it on a free loopback port and waits until it answers. Returns the port.
pub(crate) fn start(recipe: &dyn Recipe, reaper: &mut Reaper) -> Result<u16, Problem> {
    let name = recipe.name();
    for _ in 0..TRIES {
        let port = free_port()?;
        let mut child = spawn_logged(&mut recipe.command(port), &recipe.log())
            .map_err(|error| format!("cannot start {name}: {error}"))?;
        let pid = pid_of(&child)?;
        reaper.watch(pid)?;
        let deadline = Instant::now() + START_TIMEOUT;
        while matches!(child.try_wait(), Ok(None)) {
            if recipe.answers(pid, port) {
                reaper.own(child);
                return Ok(port);
            }
            if Instant::now() > deadline {
                reaper.own(child);
                return Err(format!(
                    "{name} does not answer after {} s. {}",
                    START_TIMEOUT.as_secs(),
                    last_lines(&recipe.log())
                ));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        reaper.forget(pid)?;
        if !fs::read_to_string(recipe.log()).is_ok_and(|log| log.contains("in use")) {
            break;
        }
    }
    Err(format!(
        "{name} ended at once. {}",
        last_lines(&recipe.log())
    ))
}

/// Runs a command with all its output in a log.
pub(crate) fn spawn_logged(command: &mut Command, log: &Path) -> std::io::Result<Child> {
    let log = File::create(log)?;
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
}

/// The pid of a child in the form the signal calls take.
pub(crate) fn pid_of(child: &Child) -> Result<Pid, Problem> {
    crate::pid(child.id())
}

/// The end of a log, introduced by a sentence.
pub(crate) fn last_lines(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    match lines.get(lines.len().saturating_sub(LAST_LINES)..) {
        None | Some([]) => "It left nothing in its log.".to_owned(),
        Some(end) => format!("The end of its log:\n  {}", end.join("\n  ")),
    }
}

/// The first of these programs that can be run: absolute paths as they are, names along `PATH`.
pub(crate) fn find_program(folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders
        .iter()
        .cloned()
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

fn free_port() -> Result<u16, Problem> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("no free port on 127.0.0.1: {error}"))
}
