//! The way from a socket to the routes, with bounds: on how many connections there are, in all and of one
//! network, and on how long one may take to say what it wants.

use std::{
    convert::Infallible,
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::watch,
};
use tower_service::Service;

use super::{
    error::overloaded,
    health,
    socket::{Incoming, Listener, Peer, Stream},
    tls::{Bare, Tls},
};
use crate::platform::{
    network::Network,
    shares::{Holder, Share, Shares},
    state::Shared,
};

/// Pause after the system would not give a connection, for example for want of file descriptors.
const BREATH: Duration = Duration::from_millis(200);

/// How long a connection may wait, and how many there may be.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections at a time, WebSockets among them. Others are told to come again, and supervisors how the program is.
    pub connections: usize,
    /// Time to send a request's head, from the opening of the connection or from the last answer.
    pub head: Duration,
    /// Time for requests under way to end when the server stops.
    pub grace: Duration,
}

/// What is listened on, and how connections are opened there.
pub struct Door {
    listener: Listener,
    tls: Option<Tls>,
}

impl Door {
    /// With TLS, if there is one.
    #[must_use]
    pub fn new(listener: impl Into<Listener>, tls: Option<Tls>) -> Self {
        let listener = listener.into();
        Self { listener, tls }
    }
}

impl<L: Into<Listener>> From<L> for Door {
    fn from(listener: L) -> Self {
        Self::new(listener, None)
    }
}

/// Serves until `until`; then no more are let in and those under way may end. Whether all did.
pub async fn serve(
    door: impl Into<Door>,
    routes: Router,
    state: Shared,
    bounds: Bounds,
    until: impl Future<Output = ()>,
) -> bool {
    let places = Places::of(bounds.connections);
    let (stop, stopping) = watch::channel(());
    let Door { listener, tls } = door.into();
    tokio::pin!(until);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut until => break,
        };
        match accepted {
            Ok((incoming, peer)) => {
                let Some(place) = places.take(network(&state, peer)) else {
                    // Not even a word: whoever floods the reserve gets none.
                    continue;
                };
                let visit = Visit {
                    incoming,
                    peer,
                    place,
                    head: bounds.head,
                };
                let (routes, tls) = (routes.clone(), tls.clone());
                tokio::spawn(converse(visit, tls, routes, stopping.clone()));
            }
            Err(error) if is_the_peers(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
    drop((listener, stopping));
    stop.send_replace(());
    // The other ends are the connections'.
    tokio::time::timeout(bounds.grace, stop.closed())
        .await
        .is_ok()
}

/// The network that a connection counts for; none for what comes from this machine or a trusted proxy, and
/// so stands for everyone.
fn network(state: &Shared, peer: Peer) -> Option<Network> {
    let Peer::Address(ip) = peer else { return None };
    let network = Network::from(ip);
    let ip = ip.to_canonical();
    let stands_for_others = || {
        state
            .trusted_proxies()
            .iter()
            .any(|proxy| proxy.contains(&ip))
    };
    (!network.is_loopback() && !stands_for_others()).then_some(network)
}

/// Connections that are taken beside all others, to say how the program is and that there are too many.
const RESERVE: usize = 64;

/// Time to send a request's head where there is no place.
const SHORT_HEAD: Duration = Duration::from_secs(5);

/// The places there are for connections.
struct Places {
    all: Arc<Shares>,
    reserve: Arc<Shares>,
}

/// The place of one connection.
struct Place {
    share: Share,
    /// Whether it is of the reserve: then it is for one answer.
    is_reserve: bool,
}

impl Places {
    fn of(most: usize) -> Self {
        Self {
            all: Shares::of(most),
            reserve: Shares::of(RESERVE),
        }
    }

    fn take(&self, network: Option<Network>) -> Option<Place> {
        let holders: Vec<Holder> = network.map(Holder::Network).into_iter().collect();
        let place = |shares: &Arc<Shares>, is_reserve| {
            let share = shares.take(1, &holders)?;
            Some(Place { share, is_reserve })
        };
        place(&self.all, false).or_else(|| place(&self.reserve, true))
    }
}

fn is_the_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput};
    matches!(
        error.kind(),
        ConnectionRefused | ConnectionAborted | ConnectionReset | InvalidInput
    )
}

/// A connection that was let in.
struct Visit {
    incoming: Incoming,
    peer: Peer,
    place: Place,
    /// Time to be opened, and to send a request's head.
    head: Duration,
}

/// Opens the connection within `head`; `None` where the other end does not.
async fn open(
    incoming: Incoming,
    tls: Option<Tls>,
    head: Duration,
) -> Option<(Box<dyn Stream>, Option<Bare>)> {
    let (stream, tls) = match (incoming, tls) {
        (Incoming::Network(stream), Some(tls)) => (stream, tls),
        (incoming, _) => return Some((incoming.boxed(), None)),
    };
    match tokio::time::timeout(head, tls.open(stream)).await {
        Ok(Ok(opened)) => Some(opened),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a connection was not opened");
            None
        }
        Err(_) => None,
    }
}

async fn converse(
    visit: Visit,
    tls: Option<Tls>,
    routes: Router,
    mut stopping: watch::Receiver<()>,
) {
    let Place { share, is_reserve } = visit.place;
    let head = if is_reserve {
        visit.head.min(SHORT_HEAD)
    } else {
        visit.head
    };
    let opened = tokio::select! {
        opened = open(visit.incoming, tls, head) => opened,
        _ = stopping.changed() => None,
    };
    let Some((stream, bare)) = opened else { return };
    let service = service_fn(move |mut request: Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(visit.peer);
        if let Some(bare) = bare {
            request.extensions_mut().insert(bare);
        }
        let request = request.map(Body::new);
        answer(routes.clone(), request, is_reserve)
    });
    let held = Held {
        stream,
        _place: share,
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .keep_alive(!is_reserve)
        .serve_connection(TokioIo::new(held), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        _ = stopping.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

async fn answer(
    mut routes: Router,
    request: Request,
    is_reserve: bool,
) -> Result<Response, Infallible> {
    if is_reserve && !health::is_asked(request.uri().path()) {
        return Ok(overloaded().into_response());
    }
    routes.call(request).await
}

/// A connection and its place, which it keeps when it becomes a WebSocket.
struct Held {
    stream: Box<dyn Stream>,
    _place: Share,
}

impl AsyncRead for Held {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Held {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn at(last: u8) -> Option<Network> {
        Some(IpAddr::V4(Ipv4Addr::new(203, 0, 113, last)).into())
    }

    #[test]
    fn one_network_leaves_places_to_the_others() {
        let places = Places::of(100);
        let taken: Vec<Place> = (0..100).map_while(|_| places.take(at(1))).collect();
        let (usual, reserve): (Vec<_>, Vec<_>) = taken.into_iter().partition(|one| !one.is_reserve);
        assert_eq!((usual.len(), reserve.len()), (25, RESERVE / 4));
        assert!(places.take(at(1)).is_none(), "not even a word");
        assert!(!places.take(at(2)).unwrap().is_reserve);
        // What stands for everyone is held back by nothing but the end.
        let rest: Vec<Place> = (0..75).map_while(|_| places.take(None)).collect();
        assert!(rest.iter().all(|place| !place.is_reserve) && rest.len() == 75);
        assert!(places.take(at(2)).unwrap().is_reserve);
        drop(usual);
        assert!(!places.take(at(1)).unwrap().is_reserve);
    }
}
