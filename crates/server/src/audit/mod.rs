//! What was done, when, by whom, from where and to whom: an append-only record for auditors.
//!
//! The lines of each site are numbered and form a chain: each carries a keyed hash over its content and
//! the hash of the line before, and the site's head names the last one. Whoever can write to the
//! database but has not the master key can change, remove, swap or add nothing unnoticed; see
//! `docs/audit.md`.

mod action;
mod actor;
mod chain;
mod entry;
mod export;
mod log;
pub mod pages;
mod prune;
mod store;
mod verify;

pub use self::{
    action::Action,
    actor::{Actor, Caller, current, proven, within},
    chain::{Content, Hash},
    entry::{Entry, INSTALLATION},
    export::Exported,
    log::{begin, is_begun},
    prune::{Pruned, prune},
    store::{Line, count, lines_after, sites, who},
    verify::{Breach, Report, verify},
};
