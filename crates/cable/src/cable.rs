//! The handle to a cable.

use std::future::Future;
use std::net::IpAddr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{Sink, Stream};

use crate::admission::{Admission, Refusal};
use crate::application::Application;
use crate::fanout::memory::Memory;
use crate::fanout::{Fanout, Local};
use crate::hub::Hub;
use crate::inner::Inner;
use crate::mailbox::Bound;
use crate::message::Message;
use crate::options::{Disconnect, Options};
use crate::registry::Registry;
use crate::session::{Incoming, NORMAL, Opening, Outgoing, Session, send_disconnect};
use crate::stats::{Counters, Stats};

/// An Action Cable server without its sockets: give it connections with
/// [`serve`](Self::serve) (or the `Handshake` extractor) and messages with
/// [`broadcast`](Self::broadcast).
///
/// Cloning gives another handle to the same cable.
#[derive(Clone, Debug)]
pub struct Cable {
    inner: Arc<Inner>,
}

impl Default for Cable {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

impl Cable {
    /// A cable served by this process alone.
    pub fn new(options: Options) -> Self {
        let fanout = Memory::new(options.history, options.clock.clone());
        Self::with_fanout(options, fanout)
    }

    /// A cable that shares its broadcasts with others through a fan-out.
    pub fn with_fanout(options: Options, fanout: impl Fanout) -> Self {
        let counters = Arc::<Counters>::default();
        let bound = Bound {
            messages: options.queue_messages,
            bytes: options.queue_bytes,
        };
        let hub = Arc::new(Hub::new(bound, Arc::clone(&counters)));
        let registry = Arc::new(Registry::new(Arc::clone(&counters)));
        fanout.start(Local::new(
            Arc::clone(&hub),
            Arc::clone(&registry),
            Arc::clone(&counters),
        ));
        Self {
            inner: Arc::new(Inner::new(
                options,
                hub,
                registry,
                counters,
                Box::new(fanout),
            )),
        }
    }

    /// Sends a message to all who follow a stream, in every process of this cable. Never blocks;
    /// messages to one stream arrive in the order of the calls.
    pub fn broadcast(&self, stream: &str, message: impl Into<Message>) {
        let message = self.sent_now(message.into());
        self.inner.fanout.publish(stream, message);
    }

    fn sent_now(&self, mut message: Message) -> Message {
        self.inner.counters.broadcasts.fetch_add(1, Relaxed);
        message.sent = Some(self.inner.options.clock.now());
        message
    }

    /// Sends a message as [`broadcast`](Self::broadcast) does, at once and not when the future is
    /// polled. The future tells whether the message is where every process, and every client that
    /// comes back, finds it; `false` if it was given up. For those who keep an outbox and must know
    /// what they can cross out.
    pub fn broadcast_acknowledged(
        &self,
        stream: &str,
        message: impl Into<Message>,
    ) -> BoxFuture<'static, bool> {
        let message = self.sent_now(message.into());
        self.inner.fanout.publish_acknowledged(stream, message)
    }

    /// Ends the connections of this process that answer to a tag (see [`Application::tags`]), for
    /// whatever reason, at once. An [`Application`] that cannot answer now says
    /// [`Disconnect::unavailable`] to its own connection and its client comes back.
    pub fn hang_up(&self, tag: &str, disconnect: &Disconnect) {
        self.inner.registry.disconnect(tag, disconnect);
    }

    /// Ends all connections that answer to a tag (see [`Application::tags`]), in every process of
    /// this cable: `disconnect` with the reason `remote`.
    pub fn disconnect(&self, tag: &str, reconnect: bool) {
        self.inner
            .fanout
            .disconnect(tag, Disconnect::remote(reconnect));
    }

    /// The numbers of this process.
    pub fn stats(&self) -> Stats {
        self.inner.counters.read()
    }

    /// The settings it was made with.
    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// A place for one more connection, to be kept as long as it lasts; of a peer, if its address
    /// is given. [`Handshake::accept`](crate::Handshake::accept) asks by itself; other transports
    /// ask before they [serve](Self::serve).
    ///
    /// # Errors
    /// The cable is draining or full, or the peer has too many connections.
    pub fn admit(&self, peer: Option<IpAddr>) -> Result<Admission, Refusal> {
        let place = if self.is_draining() {
            Err(Refusal::Draining)
        } else {
            self.inner.admissions.admit(peer)
        };
        place.inspect_err(|_| {
            self.inner.counters.refused.fetch_add(1, Relaxed);
        })
    }

    /// Whether [`drain`](Self::drain) has been called.
    pub fn is_draining(&self) -> bool {
        self.inner.is_draining()
    }

    /// Goes down gracefully: refuses new connections and ends the present ones with
    /// `server_restart` and `reconnect: true`, evenly over the given time so that they do not
    /// all reach the next server at once. Returns when the last is gone and the fan-out has
    /// carried everything, at the latest twice [`Options::close_timeout`] after the last connection was told to close.
    pub async fn drain(&self, over: Duration) {
        self.inner.start_draining();
        let all = self.inner.registry.all();
        let pause = Duration::from_millis(50).min(over);
        let steps = if pause.is_zero() {
            1
        } else {
            over.as_millis().div_ceil(pause.as_millis())
        };
        let chunk = all
            .len()
            .div_ceil(usize::try_from(steps).unwrap_or(1).max(1))
            .max(1);
        for members in all.chunks(chunk) {
            for mailbox in members.iter().filter_map(Weak::upgrade) {
                mailbox.close(Disconnect::server_restart());
            }
            tokio::time::sleep(pause).await;
        }
        drop(all);
        // A little more than each session gives itself.
        let timeout = self.inner.options.close_timeout + Duration::from_millis(100);
        let _ = tokio::time::timeout(timeout, self.inner.registry.emptied()).await;
        let _ = tokio::time::timeout(timeout, self.inner.fanout.flush()).await;
    }

    /// Serves one connection until it ends; to be spawned as a task. Must run in a Tokio runtime.
    pub fn serve<A, S, E>(
        &self,
        app: Arc<A>,
        connection: A::Connection,
        opening: Opening,
        socket: S,
    ) -> impl Future<Output = ()> + Send + use<A, S, E>
    where
        A: Application,
        S: Stream<Item = Result<Incoming, E>> + Sink<Outgoing, Error = E> + Send + Unpin,
        E: Send,
    {
        self.inner.start_ticker();
        Session::new(Arc::clone(&self.inner), app, connection, opening, socket).run()
    }

    /// Sends `disconnect` to a connection that is not to be served.
    pub async fn refuse<S, E>(&self, disconnect: Disconnect, mut socket: S)
    where
        S: Stream<Item = Result<Incoming, E>> + Sink<Outgoing, Error = E> + Send + Unpin,
    {
        let timeout = self.inner.options.close_timeout;
        send_disconnect(&mut socket, &disconnect, NORMAL, timeout).await;
    }
}
