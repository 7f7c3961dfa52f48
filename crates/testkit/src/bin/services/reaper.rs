//! Stops the servers and removes their folder, even when `services` itself is killed.
//!
//! A second process of this same program reads the pids of the servers from a pipe. When the pipe
//! closes (because `services` ended in whatever way) it stops them and removes the folder.

use std::fs;
use std::io::{BufRead, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Problem;
use crate::account::Account;

/// The first argument that makes this program the reaper.
pub(crate) const FLAG: &str = "--reap";
/// How long a server may take to stop before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Our end of the pipe, and the children we must wait for.
#[derive(Debug)]
pub(crate) struct Reaper {
    process: Child,
    folder: PathBuf,
    servers: Vec<Child>,
}

impl Reaper {
    /// Makes the folder for all files of this run and starts its reaper.
    pub(crate) fn start(account: &Account) -> Result<Self, Problem> {
        let folder = tempfile::Builder::new()
            .prefix("axiam-services-")
            .tempdir_in(account.place_for_folders())
            .map_err(|error| format!("cannot make a temporary folder: {error}"))?;
        // The servers' account must be able to walk through to its own folders.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711))
            .map_err(|error| format!("cannot open the temporary folder: {error}"))?;
        let process = std::env::current_exe()
            .and_then(|program| {
                Command::new(program)
                    .arg(FLAG)
                    .arg(folder.path())
                    .stdin(Stdio::piped())
                    .process_group(0)
                    .spawn()
            })
            .map_err(|error| format!("cannot start the process that tidies up: {error}"))?;
        Ok(Self {
            process,
            folder: folder.keep(),
            servers: Vec::new(),
        })
    }

    /// The folder for all files of this run.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// From now on this process is stopped with us.
    pub(crate) fn watch(&mut self, server: Pid) -> Result<(), Problem> {
        self.tell(&format!("+{server}"))
    }

    /// This process has ended by itself.
    pub(crate) fn forget(&mut self, server: Pid) -> Result<(), Problem> {
        self.tell(&format!("-{server}"))
    }

    /// Takes over a child that was told to [`Reaper::watch`], to collect its exit at the end.
    pub(crate) fn own(&mut self, child: Child) {
        self.servers.push(child);
    }

    fn tell(&mut self, line: &str) -> Result<(), Problem> {
        let Some(pipe) = self.process.stdin.as_mut() else {
            return Err("the process that tidies up has no pipe".to_owned());
        };
        writeln!(pipe, "{line}")
            .and_then(|()| pipe.flush())
            .map_err(|error| format!("the process that tidies up is gone: {error}"))
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        for server in &mut self.servers {
            let _ = server.wait();
        }
        let _ = self.process.wait();
    }
}

/// The other process: reads until the pipe closes, then stops and removes.
pub(crate) fn run(folder: &[String]) -> Result<(), Problem> {
    let [folder] = folder else {
        return Err(format!("{FLAG} takes one folder"));
    };
    let mut servers: Vec<Pid> = Vec::new();
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let Ok(number) = line.get(1..).unwrap_or_default().parse::<u32>() else {
            continue;
        };
        let server = crate::pid(number)?;
        if line.starts_with('+') {
            servers.push(server);
        } else {
            servers.retain(|known| *known != server);
        }
    }
    // To PostgreSQL and to Redis SIGINT says: stop now, whoever is still connected.
    for server in &servers {
        let _ = kill(*server, Signal::SIGINT);
    }
    let deadline = Instant::now() + STOP_TIMEOUT;
    for server in servers {
        while kill(server, None).is_ok() {
            if Instant::now() > deadline {
                let _ = kill(server, Signal::SIGKILL);
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    fs::remove_dir_all(folder).map_err(|error| format!("cannot remove {folder}: {error}"))
}
