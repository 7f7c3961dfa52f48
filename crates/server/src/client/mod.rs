//! Clients: the people known to one site. Clients of two sites never meet.

pub mod http;
mod model;
mod store;

pub use model::{Client, ClientError, Email, FullName};
pub use store::{
    bound_locks, create, erase, find, find_by_email, forgive_failures, hold, is_locked,
    record_failure,
};
