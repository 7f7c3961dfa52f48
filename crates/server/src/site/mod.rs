//! Sites: a website or application, its keys and its settings.

mod domain;
pub mod http;
mod model;
mod store;

pub use domain::{Domain, DomainError};
pub use model::{Liveness, NewSite, Site, SiteError, SiteSettings};
pub use store::{all, authenticate, create, find, store_settings};
