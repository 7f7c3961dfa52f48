//! Servers as processes: started, looked at, ended.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Ticks of the times in `/proc/<pid>/stat`: `USER_HZ`, 100 on every Linux (proc(5)).
const TICKS_PER_SECOND: f64 = 100.0;

/// A server under measurement, with its children. Dropping it ends them all.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    folder: TempDir,
}

/// An address on loopback that was free a moment ago.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

impl Server {
    /// Starts a program and waits until it listens. `command` is told the address and a folder of
    /// its own.
    pub(crate) async fn start(
        command: impl FnOnce(SocketAddr, &Path) -> io::Result<Command>,
    ) -> Result<Self> {
        let address = free_address()?;
        let folder = tempfile::tempdir()?;
        let mut command = command(address, folder.path())?;
        let log = fs::File::create(folder.path().join("log"))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut server = Self {
            child,
            address,
            folder,
        };
        let timeout = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(address).await.is_err() {
            if server.child.try_wait()?.is_some() || Instant::now() > timeout {
                return Err(format!("a server did not start:\n{}", server.log()).into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(server)
    }

    /// What it has written.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The body of the answer to a request; an error unless the status is 200.
    pub(crate) async fn request(&self, method: &str, path: &str) -> Result<String> {
        let mut stream = TcpStream::connect(self.address).await?;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        match answer.split_once("\r\n\r\n") {
            Some((head, body)) if head.starts_with("HTTP/1.1 200") => Ok(body.to_owned()),
            _ => Err(format!("{method} {path}: {answer}\n{}", self.log()).into()),
        }
    }

    /// The process and its descendants.
    fn tree(&self) -> Vec<u32> {
        let mut all = vec![self.child.id()];
        let mut at = 0;
        while let Some(pid) = all.get(at) {
            let path = format!("/proc/{pid}/task/{pid}/children");
            let children = fs::read_to_string(path).unwrap_or_default();
            all.extend(
                children
                    .split_whitespace()
                    .filter_map(|pid| pid.parse::<u32>().ok()),
            );
            at += 1;
        }
        all
    }

    /// Bytes that a field of `/proc/<pid>/status` says, of all processes together.
    fn status(&self, field: &str) -> u64 {
        let of = |pid: &u32| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            let line = status.lines().find(|line| line.starts_with(field))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        };
        self.tree().iter().filter_map(of).sum::<u64>() * 1024
    }

    /// Resident memory in bytes.
    pub(crate) fn rss(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most resident memory there ever was, in bytes.
    pub(crate) fn peak(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// Seconds of processor time used so far: by the program, and for it by the kernel.
    pub(crate) fn cpu(&self) -> (f64, f64) {
        let of = |pid: &u32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // The name in parentheses may contain spaces; utime and stime are fields 14 and 15.
            let (_, rest) = stat.rsplit_once(") ")?;
            let mut fields = rest.split(' ').skip(11);
            let user: f64 = fields.next()?.parse().ok()?;
            let system: f64 = fields.next()?.parse().ok()?;
            Some((user / TICKS_PER_SECOND, system / TICKS_PER_SECOND))
        };
        let sum = |(a, b), (c, d)| (a + c, b + d);
        self.tree().iter().filter_map(of).fold((0.0, 0.0), sum)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let tree: Vec<String> = self.tree().iter().map(ToString::to_string).collect();
        let signal = |name: &str| {
            let _ = Command::new("kill")
                .arg(name)
                .args(&tree)
                .stderr(Stdio::null())
                .status();
        };
        signal("-TERM");
        for _ in 0..20 {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        signal("-KILL");
        let _ = self.child.wait();
    }
}
