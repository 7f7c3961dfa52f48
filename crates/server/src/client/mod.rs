//! Clients: the people known to one site. Clients of two sites never meet.

pub mod http;
mod model;
pub mod pages;
mod search;
mod store;
mod test_identity;

pub use model::{Client, ClientError, Email, FullName};
pub use search::{Place, search};
pub use store::{
    bound_locks, create, erase, find, find_all, find_by_email, forgive_failures, hold, is_locked,
    record_failure,
};
pub use test_identity::{TestClient, TestIdentity, find_to_sign_on};
