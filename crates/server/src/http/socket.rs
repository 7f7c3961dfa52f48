//! What is listened on: a port, or a Unix socket for a proxy on the same machine; opened by this
//! program or handed to it by whoever started it.

use std::{
    fs, io,
    net::IpAddr,
    os::unix::{
        fs::{FileTypeExt, MetadataExt, PermissionsExt},
        net,
    },
    path::{Path, PathBuf},
};

use listenfd::ListenFd;
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
};

use crate::platform::config::Listen;

/// Who may connect to a Unix socket: its owner and its group, into which the proxy is put.
const MODE: u32 = 0o660;

/// The other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// Whoever has this address.
    Address(IpAddr),
    /// A program that may open the Unix socket: a proxy, which speaks for others.
    Proxy,
}

/// A connection, of whatever kind.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection as the system gives it.
pub(super) enum Incoming {
    /// From a port.
    Network(TcpStream),
    /// From a socket in the file system.
    Unix(UnixStream),
}

impl Incoming {
    pub(super) fn boxed(self) -> Box<dyn Stream> {
        match self {
            Self::Network(stream) => Box::new(stream),
            Self::Unix(stream) => Box::new(stream),
        }
    }
}

/// Something that gives connections.
#[derive(Debug)]
pub enum Listener {
    /// A port of the network.
    Network(TcpListener),
    /// A socket in the file system.
    Unix(UnixListener, Option<SocketFile>),
}

/// Why there is nothing to listen on.
#[derive(Debug, Error)]
pub enum BindError {
    /// Another program answers there, which is not sent away.
    #[error("cannot listen on {0}: another server answers there; stop it first")]
    Taken(Listen),
    /// What is there was not made by a server, and is not removed.
    #[error("cannot listen on {0}: there is a file of that name that is no socket")]
    NoSocket(Listen),
    /// The system refuses.
    #[error("cannot listen on {0}: {1}")]
    System(Listen, io::Error),
    /// The program was started with sockets that it does not know how to use.
    #[error("cannot listen on the socket that the program was started with: {0}")]
    HandedOver(io::Error),
}

impl Listener {
    /// The socket that the program was started with (`LISTEN_FDS`, sd_listen_fds(3)), else a new one.
    /// A socket that somebody else holds goes on taking connections while servers come and go.
    ///
    /// # Errors
    /// See [`BindError`].
    pub async fn open(listen: &Listen) -> Result<Self, BindError> {
        match handed_over().map_err(BindError::HandedOver)? {
            Some(listener) => Ok(listener),
            None => Self::bind(listen).await,
        }
    }

    async fn bind(listen: &Listen) -> Result<Self, BindError> {
        let system = |error| BindError::System(listen.clone(), error);
        match listen {
            Listen::Network { host, port } => TcpListener::bind((host.as_str(), *port))
                .await
                .map(Self::Network)
                .map_err(system),
            Listen::Unix(path) => {
                make_room(listen, path)?;
                let listener = UnixListener::bind(path).map_err(system)?;
                fs::set_permissions(path, fs::Permissions::from_mode(MODE)).map_err(system)?;
                let file = SocketFile::at(path).map_err(system)?;
                Ok(Self::Unix(listener, Some(file)))
            }
        }
    }

    /// Where it listens, with the port that the system chose.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> io::Result<Listen> {
        match self {
            Self::Network(listener) => Ok(listener.local_addr()?.into()),
            Self::Unix(listener, _) => {
                let address = listener.local_addr()?;
                let path = address
                    .as_pathname()
                    .unwrap_or(Path::new("(without a name)"));
                Ok(Listen::Unix(path.to_owned()))
            }
        }
    }

    pub(super) async fn accept(&self) -> io::Result<(Incoming, Peer)> {
        match self {
            Self::Network(listener) => {
                let (stream, peer) = listener.accept().await?;
                // Messages are small and must not wait for one another.
                stream.set_nodelay(true)?;
                Ok((Incoming::Network(stream), Peer::Address(peer.ip())))
            }
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Ok((Incoming::Unix(stream), Peer::Proxy))
            }
        }
    }
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self::Network(listener)
    }
}

fn handed_over() -> io::Result<Option<Listener>> {
    let mut sockets = ListenFd::from_env();
    if sockets.len() > 1 {
        let many = format!("there are {}, and one is served", sockets.len());
        return Err(io::Error::other(many));
    }
    if let Ok(Some(listener)) = sockets.take_tcp_listener(0) {
        listener.set_nonblocking(true)?;
        return Ok(Some(Listener::Network(TcpListener::from_std(listener)?)));
    }
    let Some(listener) = sockets.take_unix_listener(0)? else {
        return Ok(None);
    };
    listener.set_nonblocking(true)?;
    let listener = UnixListener::from_std(listener)?;
    Ok(Some(Listener::Unix(listener, None)))
}

/// Removes a socket that a server left when it was killed; one that is answered on stays.
fn make_room(listen: &Listen, path: &Path) -> Result<(), BindError> {
    let system = |error| BindError::System(listen.clone(), error);
    let Ok(there) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !there.file_type().is_socket() {
        return Err(BindError::NoSocket(listen.clone()));
    }
    match net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(system)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(system(error)),
        _ => Err(BindError::Taken(listen.clone())),
    }
}

/// The file of a socket, which goes with it unless another server's has taken its place.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    id: (u64, u64),
}

impl SocketFile {
    fn at(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            id: id(path)?,
        })
    }
}

/// What tells a file from another one at the same path.
fn id(path: &Path) -> io::Result<(u64, u64)> {
    let found = fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if id(&self.path).is_ok_and(|id| id == self.id) {
            // The next server replaces it, if it cannot be removed.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_that_is_left_is_replaced_and_one_that_lives_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("axiam.sock");
        let listen = Listen::Unix(path.clone());
        // Dropping a listener of the standard library leaves its file, as a kill does.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let first = Listener::bind(&listen).await.unwrap();
        assert_eq!(first.address().unwrap(), listen);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, MODE);
        let told = Listener::bind(&listen).await.unwrap_err().to_string();
        assert!(told.contains("another server answers there"), "{told}");
        drop(first);
        assert!(!path.exists());
        fs::write(&path, "notes").unwrap();
        let told = Listener::bind(&listen).await.unwrap_err().to_string();
        assert!(told.contains("that is no socket"), "{told}");
        assert_eq!(fs::read(&path).unwrap(), b"notes");
    }

    #[tokio::test]
    async fn a_file_that_is_another_servers_by_now_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("axiam.sock");
        let first = Listener::bind(&Listen::Unix(path.clone())).await.unwrap();
        fs::rename(&path, folder.path().join("moved")).unwrap();
        let _second = Listener::bind(&Listen::Unix(path.clone())).await.unwrap();
        drop(first);
        assert!(path.exists());
    }

    #[tokio::test]
    async fn a_name_is_resolved_and_a_port_is_chosen() {
        let listener = Listener::bind(&"localhost:0".parse().unwrap())
            .await
            .unwrap();
        let Listen::Network { host, port } = listener.address().unwrap() else {
            panic!("a name is an address of the network");
        };
        assert!(host.parse::<IpAddr>().unwrap().is_loopback() && port > 0);
        let nowhere = "nowhere.invalid:0".parse().unwrap();
        let told = Listener::bind(&nowhere).await.unwrap_err().to_string();
        assert!(
            told.starts_with("cannot listen on nowhere.invalid:0: "),
            "{told}"
        );
    }
}
