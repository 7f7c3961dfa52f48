//! An Action Cable server as a library: a browser subscribes to channels over one WebSocket with
//! the official `@rails/actioncable` client, and the application broadcasts to streams.
//!
//! - [`Application`] is what you implement: which streams an identifier may follow, what already
//!   exists, what to do with messages from clients.
//! - [`Cable`] is the handle to broadcast, to end connections, to read numbers, to drain.
//! - [`Handshake`] is an axum extractor that turns a request into a connection. Other transports
//!   give [`Cable::serve`] a stream and sink of frames.
//!
//! - [`fanout`] carries broadcasts between processes: in memory for one, over Redis for several
//!   (feature `redis`).
//!
//! # Protocols
//!
//! `actioncable-v1-json` as Rails 7 and 8 speak it. What Rails ignores is ignored (commands it does
//! not know, frames that are not JSON), except that an identifier without a known channel is
//! rejected instead of left without an answer, and that a subscription that there is already is
//! confirmed again to a client that has the first confirmation.
//!
//! `actioncable-v1-ext-json` as AnyCable and `@anycable/core` speak it: positions, `history`,
//! resumed sessions, pongs; no presence and no whispering.
//!
//! # What is promised
//!
//! - While a connection lasts, a subscription is sent every message to its streams since it was
//!   confirmed, once and in the order of each stream, or the connection is ended because its
//!   client does not keep up.
//! - What exists already and what is broadcast meanwhile reach a new subscriber once; see
//!   [`Application`] and [`Message::with_key`].
//! - A client of the extended protocol that comes back is sent what it missed, once and in order,
//!   as long as the history remembers; after that it is told that something is missing, and what
//!   exists now. A client of the base protocol is told what exists now.
//! - When messages may have been lost between processes (a Redis that was killed), every
//!   subscription is told again what exists and has a key that it has not had.
//! - Nobody waits for a slow client, and what is queued for one is bounded.
//!
//! Not promised: an order between streams, and messages without a key through the loss of Redis'
//! memory.
//!
//! # Limits and numbers
//!
//! [`Options`] bounds frames, queues, subscriptions, connections (in all and by address) and how
//! often a connection may ask for something; [`Handshake`] answers 503 or 429 before the upgrade.
//! [`Cable::stats`] counts what happens and how long messages took, and writes it for Prometheus
//! ([`Stats::prometheus`]). [`Cable::drain`] sends everyone to the next server, spread over a
//! time.
//!
//! # Features
//!
//! `axum` (by default): [`Handshake`]. `redis`: the fan-out for several processes.
//!
//! # Example
//!
//! ```
//! use std::sync::Arc;
//!
//! use axum::{Router, extract::State, response::Response, routing::any};
//! use cable::{Application, Cable, Denied, Disconnect, Handshake, Identifier, Message};
//! use serde::Deserialize;
//! use serde_json::json;
//!
//! struct Orders;
//!
//! #[derive(Deserialize)]
//! struct OrderParams {
//!     id: u64,
//! }
//!
//! impl Application for Orders {
//!     type Connection = ();
//!
//!     async fn subscribe(&self, _: &(), identifier: &Identifier) -> Result<Vec<String>, Denied> {
//!         match identifier.channel().as_deref() {
//!             Some("OrderChannel") => {
//!                 let order: OrderParams = identifier.params().map_err(|_| Denied::Subscription)?;
//!                 Ok(vec![format!("order:{}", order.id)])
//!             }
//!             _ => Err(Denied::Subscription),
//!         }
//!     }
//!
//!     async fn confirmed(&self, _: &(), _: &Identifier) -> Result<Vec<Message>, Disconnect> {
//!         // From the database: has it been shipped already?
//!         Ok(vec![Message::from(json!({"status": "shipped"})).with_key("shipped")])
//!     }
//! }
//!
//! #[derive(Clone)]
//! struct AppState {
//!     cable: Cable,
//!     orders: Arc<Orders>,
//! }
//!
//! async fn connect(State(app): State<AppState>, handshake: Handshake) -> Response {
//!     handshake.accept(&app.cable, app.orders, ())
//! }
//!
//! let state = AppState { cable: Cable::default(), orders: Arc::new(Orders) };
//! let cable = state.cable.clone();
//! let router: Router = Router::new().route("/cable", any(connect)).with_state(state);
//!
//! // Anywhere, any time. Whoever was told by `confirmed` is not told again.
//! cable.broadcast("order:7", Message::from(json!({"status": "shipped"})).with_key("shipped"));
//! # let _ = router;
//! ```

mod admission;
mod application;
mod cable;
pub mod fanout;
mod frame;
#[cfg(feature = "axum")]
mod handshake;
mod history;
mod hub;
mod identifier;
mod inner;
mod lookup;
mod mailbox;
mod message;
mod options;
mod rate_limit;
mod registry;
mod resume;
mod session;
mod stats;
mod subscription;
mod sync;
mod task;
#[cfg(feature = "axum")]
mod websocket;

pub use admission::{Admission, Refusal};
pub use application::{Application, Denied};
pub use cable::Cable;
pub use frame::Protocol;
#[cfg(feature = "axum")]
pub use handshake::Handshake;
pub use history::HistoryOptions;
pub use identifier::Identifier;
pub use message::{Message, Position, Published};
pub use options::{Clock, Disconnect, Options};
pub use session::{Incoming, Opening, Outgoing};
pub use stats::{Kind, LATENCY_BOUNDS, Latency, Number, Stats};
#[cfg(feature = "axum")]
pub use websocket::NotAWebSocket;

/// What `fuzz/` calls; there only under cargo-fuzz, which sets this.
#[cfg(fuzzing)]
#[doc(hidden)]
pub use frame::fuzz_frame;
