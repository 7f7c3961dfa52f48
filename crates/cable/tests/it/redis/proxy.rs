//! A network between a process and Redis that can break.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub(crate) struct Proxy {
    at: SocketAddr,
    cut: watch::Sender<u64>,
    refusing: Arc<AtomicBool>,
}

/// The host and port in `redis://[user:password@]host:port[/db]`.
fn host_and_port(address: &str) -> &str {
    let rest = address.split_once("://").unwrap().1;
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    rest.split('/').next().unwrap()
}

impl Proxy {
    pub(crate) async fn start(address: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let (cut, watcher) = watch::channel(0);
        let refusing = Arc::<AtomicBool>::default();
        let (behind, refuses) = (host_and_port(address).to_owned(), Arc::clone(&refusing));
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                if refuses.load(SeqCst) {
                    continue;
                }
                let (behind, mut watcher) = (behind.clone(), watcher.clone());
                watcher.mark_unchanged();
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(behind).await.unwrap();
                    tokio::select! {
                        // What is sent after a cut must not pass because both are ready.
                        biased;
                        _ = watcher.changed() => {}
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                    }
                });
            }
        });
        Self { at, cut, refusing }
    }

    /// The address of Redis through this proxy.
    pub(crate) fn address(&self, address: &str) -> String {
        address.replacen(host_and_port(address), &self.at.to_string(), 1)
    }

    /// Breaks all connections.
    pub(crate) fn cut(&self) {
        self.cut.send_modify(|n| *n += 1);
    }

    /// Whether new connections are closed at once.
    pub(crate) fn refuse(&self, refuse: bool) {
        self.refusing.store(refuse, SeqCst);
    }
}
