//! The login tracker: the attempts of a site, found and counted.

mod failures;
mod filter;
mod page;
#[cfg(test)]
mod plans;
mod stream;
mod tally;

pub(super) use self::{
    failures::failures,
    filter::{Filter, Reason, STATES, Whose},
    page::{After, find, page},
    stream::Stream,
    tally::{Day, days, forget},
};
