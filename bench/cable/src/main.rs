//! Measures the cable beside Rails' Action Cable, in one run on loopback: `make bench-cable`.
//!
//! One generator of load drives every server through the same scenarios. A server that does next to
//! nothing (`floor`) shows what machine and generator cost themselves. Every message carries the
//! time of its broadcast, which the pages compare with the same clock.
#![allow(clippy::print_stdout)] // What it is for.

mod floor;
mod ours;
mod page;
mod pages;
mod process;
mod report;
mod scenario;

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use process::Server;
use report::Report;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Descriptors that are no connections: the listener, files, what the runtime needs.
const OTHER_FILES: u64 = 100;
/// Idle connections, if so many files may be open.
const IDLE: u64 = 20_000;
/// How often every server takes its turn.
const ROUNDS: usize = 2;

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["ours", address] => ours::serve(address.parse()?, None).await,
        ["ours", address, redis] => ours::serve(address.parse()?, Some(redis)).await,
        ["floor", address] => floor::serve(address.parse()?).await,
        ["run", rails] => run(Path::new(rails)).await,
        // One part alone, for whoever works on it.
        ["idle"] => {
            println!("{:?}", idle().await?);
            Ok(())
        }
        ["round", rails, side] => {
            println!("{:#?}", one_round(Path::new(rails), side).await?);
            Ok(())
        }
        _ => Err("bench-cable run <folder of the Rails application>".into()),
    }
}

async fn run(rails: &Path) -> Result<()> {
    let redis = Server::start(start_redis).await?;
    let redis_url = format!("redis://{}", redis.address);
    let mut report = Report::default();
    for round in 1..=ROUNDS {
        println!("round {round} of {ROUNDS}");
        let server = Server::start(start_floor).await?;
        report.echo.push(scenario::echo(&server).await?);
        report.floor.push(scenario::round(&server, true).await?);
        drop(server);
        let server = Server::start(|at, folder| start_rails(at, folder, rails, &redis_url)).await?;
        report.rails.push(scenario::round(&server, false).await?);
        drop(server);
        let server = Server::start(|at, _| start_ours(at, Some(&redis_url))).await?;
        report.redis.push(scenario::round(&server, true).await?);
        drop(server);
        let server = Server::start(|at, _| start_ours(at, None)).await?;
        report.memory.push(scenario::round(&server, true).await?);
        drop(server);
        let quiet = Server::start(|at, _| start_ours(at, None)).await?;
        report
            .quiet
            .push(scenario::mixed_readers(&quiet, false).await?);
        drop(quiet);
        let slow = Server::start(|at, _| start_ours(at, None)).await?;
        report
            .slow
            .push(scenario::mixed_readers(&slow, true).await?);
    }
    println!("slow readers, each with a stream of its own");
    let server = Server::start(|at, _| start_ours(at, None)).await?;
    report.stalled = Some(scenario::stalled_readers(&server).await?);
    drop(server);
    report.idle = Some(idle().await?);
    report.print();
    Ok(())
}

async fn one_round(rails: &Path, side: &str) -> Result<scenario::Round> {
    let redis = Server::start(start_redis).await?;
    let redis_url = format!("redis://{}", redis.address);
    let server = match side {
        "floor" => Server::start(start_floor).await?,
        "redis" => Server::start(|at, _| start_ours(at, Some(&redis_url))).await?,
        "memory" => Server::start(|at, _| start_ours(at, None)).await?,
        "rails" => Server::start(|at, folder| start_rails(at, folder, rails, &redis_url)).await?,
        _ => return Err("bench-cable round <folder> floor|rails|redis|memory".into()),
    };
    scenario::round(&server, side != "rails").await
}

async fn idle() -> Result<scenario::Idle> {
    let count = IDLE.min(open_files()?.saturating_sub(OTHER_FILES));
    println!("{count} idle connections");
    let server = Server::start(|at, _| start_ours(at, None)).await?;
    scenario::idle(&server, usize::try_from(count)?).await
}

/// Files this process may have open, and so may the servers it starts.
fn open_files() -> Result<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3));
    Ok(soft
        .ok_or("no limit of open files")?
        .parse()
        .unwrap_or(u64::MAX))
}

fn myself() -> io::Result<Command> {
    Ok(Command::new(std::env::current_exe()?))
}

fn start_floor(address: SocketAddr, _: &Path) -> io::Result<Command> {
    let mut command = myself()?;
    command.arg("floor").arg(address.to_string());
    Ok(command)
}

fn start_ours(address: SocketAddr, redis: Option<&str>) -> io::Result<Command> {
    let mut command = myself()?;
    command.arg("ours").arg(address.to_string()).args(redis);
    Ok(command)
}

fn start_redis(address: SocketAddr, folder: &Path) -> io::Result<Command> {
    let mut command = Command::new("redis-server");
    command.arg("--port").arg(address.port().to_string());
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    command.arg("--dir").arg(folder);
    Ok(command)
}

fn start_rails(
    address: SocketAddr,
    folder: &Path,
    rails: &Path,
    redis: &str,
) -> io::Result<Command> {
    std::fs::create_dir(folder.join("config"))?;
    for file in ["application.rb", "config.ru", "puma.rb", "config/cable.yml"] {
        std::fs::copy(rails.join(file), folder.join(file))?;
    }
    let mut command = Command::new("puma");
    command
        .args(["-C", "puma.rb", "config.ru"])
        .current_dir(folder);
    command.env("PORT", address.port().to_string());
    command.env("REDIS_URL", redis);
    command
        .env("RAILS_ENV", "production")
        .env("RACK_ENV", "production");
    Ok(command)
}
