//! `services CMD ARGS…` runs a command beside a private PostgreSQL and a private Redis.
//!
//! Both listen on free loopback ports, keep their files in one temporary folder and are gone when
//! the command ends, however it ends. The command finds them through two variables:
//! `AXIAM_TEST_POSTGRES_URL` (the database and its owner are both called `axiam`; the owner is a
//! superuser, so that a suite may create databases of its own) and `AXIAM_TEST_REDIS_URL`.
//! The exit code is the command's.

mod account;
mod postgres;
mod reaper;
mod redis;
mod server;

use std::io::IsTerminal;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::account::Account;
use crate::reaper::Reaper;

/// A sentence for the person at the terminal.
type Problem = String;

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "--") {
        arguments.remove(0);
    }
    let outcome = match arguments.split_first() {
        Some((flag, folder)) if flag == reaper::FLAG => reaper::run(folder).map(|()| 0),
        Some((program, rest)) => run_beside_services(program, rest),
        None => Err("say what to run: services CMD ARGS…".to_owned()),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(sentence) => {
            eprintln!("services: {sentence}");
            ExitCode::FAILURE
        }
    }
}

/// Starts both servers, runs the command, stops both. Returns the exit code to end with.
fn run_beside_services(program: &str, arguments: &[String]) -> Result<u8, Problem> {
    let mut signals = Signals::new([SIGINT, SIGTERM])
        .map_err(|error| format!("cannot listen for signals: {error}"))?;
    end_with_parent();

    let account = Account::for_servers()?;
    let mut reaper = Reaper::start(&account)?;
    let postgres = postgres::start(&account, &mut reaper)?;
    let redis = redis::start(&account, &mut reaper)?;

    // A stop that was asked for while the servers were starting.
    if let Some(signal) = signals.pending().next() {
        return Ok(code_of_signal(signal));
    }
    let own_group = !std::io::stdin().is_terminal();
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("AXIAM_TEST_POSTGRES_URL", &postgres.url)
        .env("AXIAM_TEST_REDIS_URL", &redis.url);
    if own_group {
        command.process_group(0);
    }
    let mut child = command
        .spawn()
        .map_err(|error| format!("cannot run {program}: {error}"))?;
    let status = wait_passing_signals_on(&mut child, own_group, &mut signals)?;
    Ok(code_of(status))
}

/// Asks the kernel to send us SIGTERM when our parent dies, so that a killed `make` stops
/// everything. Only Linux can; elsewhere the reaper still tidies up when we end.
fn end_with_parent() {
    #[cfg(target_os = "linux")]
    if let Err(error) = nix::sys::prctl::set_pdeathsig(Signal::SIGTERM) {
        eprintln!("services: will not notice when the parent dies: {error}");
    }
}

/// Waits for the command; a signal sent to us is passed on, and we keep waiting.
///
/// With a group of its own the whole group gets it (`cargo test` does not tell its tests). In the
/// terminal's group Ctrl-C has reached the command already.
fn wait_passing_signals_on(
    child: &mut Child,
    own_group: bool,
    signals: &mut Signals,
) -> Result<ExitStatus, Problem> {
    let pid = server::pid_of(child)?;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) => {}
            Err(error) => return Err(format!("cannot wait for the command: {error}")),
        }
        for number in signals.pending() {
            let Ok(signal) = Signal::try_from(number) else {
                continue;
            };
            // It may have ended in this very moment: then there is nobody to tell.
            let _ = match (own_group, signal) {
                (true, _) => killpg(pid, signal),
                (false, Signal::SIGINT) => Ok(()),
                (false, _) => kill(pid, signal),
            };
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The shell's convention: 128 and the signal's number for a command that a signal ended.
fn code_of(status: ExitStatus) -> u8 {
    match (status.code(), status.signal()) {
        (Some(code), _) => u8::try_from(code).unwrap_or(1),
        (None, Some(signal)) => code_of_signal(signal),
        (None, None) => 1,
    }
}

fn code_of_signal(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(1)
}

/// The pid in the form the signal calls take.
fn pid(number: u32) -> Result<Pid, Problem> {
    i32::try_from(number)
        .map(Pid::from_raw)
        .map_err(|_| format!("{number} is no process id"))
}
