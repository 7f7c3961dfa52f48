//! Accounts: who may open the dashboard, how they prove it, and what they may do on which site.

mod flow;
mod link;
mod membership;
mod model;
pub mod pages;
mod store;

pub use flow::{Sessions, change_password, end_sessions, join, set_up, sign_in, signed_out};
pub use link::{LIFE, forget as forget_links, offer};
pub use membership::{Member, give_role, members, role_on, sites_of, take_role};
pub use model::{Account, AccountError, Password, Role};
pub use store::{all, any, create, find, find_all, find_by_email};
