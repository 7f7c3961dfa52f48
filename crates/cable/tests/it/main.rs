//! The cable from outside: through a socket in memory with paused time, and through axum on a
//! loopback port with a real WebSocket client.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A failed test panics.

mod support;

mod conversations;
mod model;
mod order;
mod random;
#[cfg(feature = "redis")]
mod redis;
mod resume;
mod upgrade;
