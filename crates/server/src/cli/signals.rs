//! What the system tells `axiam serve`, and what `serve` tells systemd.

use std::{
    env, io,
    os::unix::net::{SocketAddr, UnixDatagram},
    process,
};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Exit status of a program that a signal ended: 128 and the signal's number, which is SIGTERM's.
const ENDED: i32 = 128 + 15;

/// Ends when SIGTERM or SIGINT comes, from this call on, not from the first poll. After that another
/// one ends the process at once.
pub(super) fn asked_to_stop() -> impl Future<Output = ()> {
    let signals = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    );
    async move {
        let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
            return std::future::pending().await;
        };
        either(&mut terminate, &mut interrupt).await;
        tokio::spawn(async move {
            either(&mut terminate, &mut interrupt).await;
            tracing::warn!("asked to stop again; not waiting for anyone");
            process::exit(ENDED);
        });
    }
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Calls `reload` at each SIGHUP, which otherwise would end the program.
///
/// # Errors
/// When the system does not let the signal be caught.
pub(super) fn on_hangup(reload: impl Fn() + Send + 'static) -> io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            reload();
        }
    });
    Ok(())
}

/// Tells systemd, where it listens (sd_notify(3)). Nothing depends on whether it hears.
pub(super) fn notify(state: &str) {
    let Some(name) = env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    let sent = (|| {
        let name = name.as_encoded_bytes();
        let address = match name.strip_prefix(b"@") {
            Some(name) => without_file(name)?,
            None => {
                SocketAddr::from_pathname(std::str::from_utf8(name).map_err(io::Error::other)?)?
            }
        };
        UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address)
    })();
    if let Err(error) = sent {
        tracing::debug!(%error, "systemd does not listen");
    }
}

/// The address of a socket that has a name and no file, which Linux alone knows.
#[cfg(target_os = "linux")]
fn without_file(name: &[u8]) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt;
    SocketAddr::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn without_file(_: &[u8]) -> io::Result<SocketAddr> {
    Err(io::ErrorKind::Unsupported.into())
}
