//! The login tracker: the attempts of a site, found and counted.

mod filter;
mod page;
#[cfg(test)]
mod plans;
mod tally;

pub(super) use self::{
    filter::{Filter, Reason, STATES, Whose},
    page::{After, batch, find, page},
    tally::{Day, days, forget},
};
