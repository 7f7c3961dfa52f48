//! What somebody outside is to be told: one table of parcels, written in the transaction of what they tell of
//! and carried by whichever server takes them. A server takes a parcel by a lease, so that one that dies with
//! it holds it up for a moment only; a parcel may arrive twice, never not at all without a trace.
//!
//! What a parcel is and how it is carried is a [`Courier`]'s business: there is one for each kind.

mod pace;
mod row;
mod store;
mod worker;

pub use self::{
    pace::Pace,
    row::{Model as Parcel, Stage},
    store::{
        BATCH, Draft, LATE, Taken, again, bound_waits, discard, discard_naming, finish, forget,
        listed, put, put_taken, within_site,
    },
    worker::{Courier, Fate, Outbox},
};
