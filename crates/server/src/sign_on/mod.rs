//! Sign-ons: push, verification token, challenge, verdict, session token.

mod announced;
mod export;
mod flow;
mod freezes;
pub mod http;
mod inbox_entry;
mod model;
mod page_status;
pub mod pages;
mod recent_entry;
mod retention;
mod store;
mod tracker;

pub use announced::Announced;
pub use export::Attempts;
pub use flow::{
    Erased, Undelivered, Waiting, answer_overdue, ask_at_door, cancel_at_door, client_and_token,
    delivered_since, erase, expire_due, find_watched, inbox_entry, mark_delivered, open_for,
    redeem_at_door, standing_at_door, undelivered, watch,
};
pub use freezes::bound_freezes;
pub use inbox_entry::InboxEntry;
pub use model::{SignOn, SignOnError, State, Watched};
pub use page_status::PageStatus;
pub use retention::{forget, forget_freezes};
pub use store::bound_lives;
pub use store::redemptions;
