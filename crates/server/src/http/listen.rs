//! The way from a socket to the routes, with bounds: on how many connections there are, and on how
//! long one may take to say what it wants.

use std::{
    convert::Infallible,
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body, extract::Request, response::Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};
use tower_service::Service;

use super::socket::{Listener, Peer, Stream};

/// Pause after the system would not give a connection, for example for want of file descriptors.
const BREATH: Duration = Duration::from_millis(200);

/// How long a connection may wait, and how many there may be.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections at a time, WebSockets among them; others wait outside.
    pub connections: usize,
    /// Time to send a request's head, from the opening of the connection or from the last answer.
    pub head: Duration,
    /// Time for requests under way to end when the server stops.
    pub grace: Duration,
}

/// Serves until `until`; then no more are let in and those under way may end. Whether all did.
pub async fn serve(
    listener: impl Into<Listener>,
    routes: Router,
    bounds: Bounds,
    until: impl Future<Output = ()>,
) -> bool {
    let room = Arc::new(Semaphore::new(
        bounds.connections.min(Semaphore::MAX_PERMITS),
    ));
    let (stop, stopping) = watch::channel(());
    let listener = listener.into();
    tokio::pin!(until);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            () = &mut until => break,
        };
        match accepted {
            Ok((held, peer)) => {
                let routes = routes.clone();
                tokio::spawn(converse(held, peer, routes, bounds.head, stopping.clone()));
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

async fn accept(listener: &Listener, room: &Arc<Semaphore>) -> io::Result<(Held, Peer)> {
    let place = room
        .clone()
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    let held = Held {
        stream,
        _place: place,
    };
    Ok((held, peer))
}

fn is_the_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput};
    matches!(
        error.kind(),
        ConnectionRefused | ConnectionAborted | ConnectionReset | InvalidInput
    )
}

async fn converse(
    held: Held,
    peer: Peer,
    routes: Router,
    head: Duration,
    mut stopping: watch::Receiver<()>,
) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        answer(routes.clone(), request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
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

async fn answer(mut routes: Router, request: Request) -> Result<Response, Infallible> {
    routes.call(request).await
}

/// A connection and its place, which it keeps when it becomes a WebSocket.
struct Held {
    stream: Box<dyn Stream>,
    _place: OwnedSemaphorePermit,
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
