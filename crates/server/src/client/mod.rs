//! Clients: the people known to one site. Clients of two sites never meet.

mod export;
pub mod http;
mod import;
mod model;
pub mod pages;
mod search;
mod store;
mod test_identity;

pub use export::Everybody;
pub use import::{Imported, Person};
pub use model::{Client, ClientError, Email, FullName};
pub use search::{Place, search};
pub use store::{
    bound_locks, create, create_all, erase, find, find_all, find_by_email, forgive_failures, hold,
    is_locked, record_failure, set_email,
};
pub use test_identity::{TestClient, TestIdentity, find_to_sign_on};
