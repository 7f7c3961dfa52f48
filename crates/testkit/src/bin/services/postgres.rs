//! A PostgreSQL that is fast because nothing in it needs to survive.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::Pid;

use crate::Problem;
use crate::account::Account;
use crate::reaper::Reaper;
use crate::server::{self, Recipe, Running};

/// Every test may hold a pool of connections, and many run at once.
const MAX_CONNECTIONS: &str = "300";

struct Postgres {
    account: Account,
    program: PathBuf,
    folder: PathBuf,
}

/// Makes a cluster with the database `axiam` and serves it.
pub(crate) fn start(account: &Account, reaper: &mut Reaper) -> Result<Running, Problem> {
    let folders = packaged_folders();
    let find = |name| {
        server::find_program(&folders, name).ok_or_else(|| {
            format!(
                "PostgreSQL's `{name}` is neither in PATH nor in /usr/lib/postgresql/*/bin. \
                 Install the server (Debian: apt-get install postgresql)."
            )
        })
    };
    let postgres = Postgres {
        account: *account,
        program: find("postgres")?,
        folder: reaper.folder().join("postgres"),
    };
    account.make_folder(&postgres.folder)?;
    postgres.make_cluster(&find("initdb")?)?;
    postgres.make_database()?;
    let port = server::start(&postgres, reaper)?;
    Ok(Running {
        url: format!("postgres://axiam@127.0.0.1:{port}/axiam"),
    })
}

/// Where distributions keep the server's programs, the newest version first.
fn packaged_folders() -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, folder)| folder).collect()
}

impl Postgres {
    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn make_cluster(&self, initdb: &Path) -> Result<(), Problem> {
        let mut command = self.account.command(initdb, &self.folder);
        command
            .args(["--username=axiam", "--auth=trust", "--encoding=UTF8"])
            .args(["--locale=C", "--no-sync", "--pgdata"])
            .arg(self.data());
        let log = self.folder.join("initdb.log");
        let ended = server::spawn_logged(&mut command, &log).and_then(|mut child| child.wait());
        match ended {
            Ok(status) if status.success() => Ok(()),
            Ok(_) => Err(format!("initdb failed. {}", server::last_lines(&log))),
            Err(error) => Err(format!("cannot run {}: {error}", initdb.display())),
        }
    }

    /// In single-user mode, so that whoever can connect finds the database there.
    fn make_database(&self) -> Result<(), Problem> {
        let failed = |error: &dyn std::fmt::Display| format!("cannot create the database: {error}");
        let mut child = self
            .account
            .command(&self.program, &self.folder)
            .arg("--single")
            .arg("-D")
            .arg(self.data())
            .args(["-c", "fsync=off", "postgres"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(&error))?;
        if let Some(mut input) = child.stdin.take() {
            input
                .write_all(b"CREATE DATABASE axiam;\n")
                .map_err(|error| failed(&error))?;
        }
        let output = child.wait_with_output().map_err(|error| failed(&error))?;
        // Single-user mode ends well even where a statement failed: its errors tell.
        let complaints = String::from_utf8_lossy(&output.stderr);
        if output.status.success() && !complaints.contains("ERROR") {
            Ok(())
        } else {
            Err(failed(&complaints))
        }
    }
}

impl Recipe for Postgres {
    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn command(&self, port: u16) -> Command {
        let mut command = self.account.command(&self.program, &self.folder);
        command.arg("-D").arg(self.data());
        for setting in [
            "listen_addresses=127.0.0.1",
            &format!("port={port}"),
            "unix_socket_directories=",
            &format!("max_connections={MAX_CONNECTIONS}"),
            // Many schemas come and go in few transactions.
            "max_locks_per_transaction=256",
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            // Parallel queries want /dev/shm, which is tiny in containers.
            "max_parallel_workers_per_gather=0",
            "timezone=UTC",
        ] {
            command.args(["-c", setting]);
        }
        command
    }

    /// PostgreSQL writes `ready` into the eighth line of `postmaster.pid` once it takes
    /// connections, with its pid in the first.
    fn answers(&self, child: Pid, _port: u16) -> bool {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let mut lines = text.lines().map(str::trim);
        lines.next() == Some(child.to_string().as_str()) && lines.nth(6) == Some("ready")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("postgres.log")
    }
}
