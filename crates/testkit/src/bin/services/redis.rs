//! A Redis that keeps everything in memory.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use nix::unistd::Pid;

use crate::Problem;
use crate::account::Account;
use crate::reaper::Reaper;
use crate::server::{self, Recipe, Running};

struct Redis {
    account: Account,
    program: PathBuf,
    folder: PathBuf,
}

/// Serves an empty Redis.
pub(crate) fn start(account: &Account, reaper: &mut Reaper) -> Result<Running, Problem> {
    let redis = Redis {
        account: *account,
        program: server::find_program(&[], "redis-server").ok_or(
            "`redis-server` is not in PATH. Install it (Debian: apt-get install redis-server).",
        )?,
        folder: reaper.folder().join("redis"),
    };
    account.make_folder(&redis.folder)?;
    let port = server::start(&redis, reaper)?;
    Ok(Running {
        url: format!("redis://127.0.0.1:{port}"),
    })
}

/// Asks the server on this port who it is.
fn introduction(port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(b"INFO server\r\nQUIT\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

impl Recipe for Redis {
    fn name(&self) -> &'static str {
        "Redis"
    }

    fn command(&self, port: u16) -> Command {
        let mut command = self.account.command(&self.program, &self.folder);
        command
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--daemonize", "no", "--appendonly", "no", "--save", ""])
            .arg("--dir")
            .arg(&self.folder);
        command
    }

    fn answers(&self, child: Pid, port: u16) -> bool {
        let own = format!("process_id:{child}");
        introduction(port).is_ok_and(|text| text.lines().any(|line| line == own))
    }

    fn log(&self) -> PathBuf {
        self.folder.join("redis.log")
    }
}
