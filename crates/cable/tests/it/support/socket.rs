//! A WebSocket in memory, as the session sees it, and the client's end of it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use cable::{Incoming, Outgoing};
use futures_util::{Sink, Stream};

/// Frames that fit between server and client before the server has to wait.
const ROOM: usize = 32;

#[derive(Default)]
struct Pipe {
    to_server: VecDeque<Incoming>,
    to_client: VecDeque<Outgoing>,
    cut: bool,
    server: Option<Waker>,
    client: Option<Waker>,
}

type Shared = Arc<Mutex<Pipe>>;

pub(crate) fn socket() -> (Wire, Socket) {
    let shared = Shared::default();
    (Wire(Arc::clone(&shared)), Socket(shared))
}

/// The client's end. It reads only when asked to; dropping it cuts the connection.
pub(crate) struct Wire(Shared);

impl Wire {
    pub(crate) fn send(&self, text: impl Into<Bytes>) {
        self.send_frame(Incoming::Text(text.into()));
    }

    pub(crate) fn send_frame(&self, frame: Incoming) {
        let mut pipe = self.0.lock().unwrap();
        pipe.to_server.push_back(frame);
        pipe.wake_server();
    }

    /// The next frame; `None` if the server is gone.
    pub(crate) async fn recv(&self) -> Option<Outgoing> {
        poll_fn(|cx| {
            let mut pipe = self.0.lock().unwrap();
            match pipe.next_frame() {
                Some(frame) => {
                    pipe.wake_server();
                    Poll::Ready(Some(frame))
                }
                None if pipe.cut => Poll::Ready(None),
                None => {
                    pipe.client = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Whether a frame is there to be read.
    pub(crate) fn has_frame(&self) -> bool {
        let mut pipe = self.0.lock().unwrap();
        let frame = pipe.next_frame();
        let has_frame = frame.is_some();
        pipe.to_client.extend(frame);
        pipe.to_client.rotate_right(usize::from(has_frame));
        has_frame
    }

    /// Breaks the connection without a word.
    pub(crate) fn cut(&self) {
        let mut pipe = self.0.lock().unwrap();
        pipe.cut = true;
        pipe.wake_server();
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.cut();
    }
}

impl Pipe {
    /// As a browser, answers pings of the transport by itself when it comes upon them.
    fn next_frame(&mut self) -> Option<Outgoing> {
        loop {
            match self.to_client.pop_front()? {
                Outgoing::Ping(number) => {
                    self.to_server.push_back(Incoming::Pong(number));
                    self.wake_server();
                }
                frame => return Some(frame),
            }
        }
    }

    fn wake_server(&mut self) {
        if let Some(waker) = self.server.take() {
            waker.wake();
        }
    }
}

/// The server's end.
pub(crate) struct Socket(Shared);

impl Stream for Socket {
    type Item = Result<Incoming, &'static str>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut pipe = self.0.lock().unwrap();
        if pipe.cut {
            return Poll::Ready(None);
        }
        match pipe.to_server.pop_front() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None => {
                pipe.server = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Socket {
    fn poll_below(&self, limit: usize, cx: &Context<'_>) -> Poll<Result<(), &'static str>> {
        let mut pipe = self.0.lock().unwrap();
        if pipe.cut {
            return Poll::Ready(Err("cut"));
        }
        if pipe.to_client.len() < limit {
            return Poll::Ready(Ok(()));
        }
        pipe.server = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Sink<Outgoing> for Socket {
    type Error = &'static str;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.poll_below(ROOM, cx)
    }

    fn start_send(self: Pin<&mut Self>, frame: Outgoing) -> Result<(), Self::Error> {
        let mut pipe = self.0.lock().unwrap();
        pipe.to_client.push_back(frame);
        if let Some(waker) = pipe.client.take() {
            waker.wake();
        }
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.poll_below(ROOM + 1, cx)
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let mut pipe = self.0.lock().unwrap();
        pipe.cut = true;
        if let Some(waker) = pipe.client.take() {
            waker.wake();
        }
    }
}
