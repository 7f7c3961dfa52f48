//! Letters: what they say ([`Letter`]), and how they leave ([`Post`]). A letter is written in the transaction of what it
//! tells of, as a parcel of the [outbox](super::outbox); whoever's business it is has a courier that makes the letter of
//! it when it is carried.

mod letter;
mod post;
mod server;

pub use self::{
    letter::{Letter, Line, NoAddress, Recipient},
    post::{Post, Shelf, Shown},
    server::NotPosted,
};
