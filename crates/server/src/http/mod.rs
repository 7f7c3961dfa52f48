//! The doors that all routes share: from the socket to a request with an id, from bytes to checked
//! values, who may do what, and the envelope that every answer travels in.

pub mod contract;
pub mod cors;
pub mod drain;
pub mod error;
pub mod extract;
pub mod forwarded;
pub mod guard;
pub mod headers;
pub mod health;
pub mod listen;
pub mod metrics;
pub mod request;
pub mod request_id;
pub mod socket;
pub mod tls;
pub mod token;
