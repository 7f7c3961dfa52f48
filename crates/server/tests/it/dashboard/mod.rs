//! The dashboard, as a browser meets it.

mod account;
mod apps;
mod attempts;
mod by_command;
mod clients;
mod installation;
mod leaving;
mod letters;
mod others;
mod passkeys;
mod pushes;
mod redis;
mod routes;
mod second;
mod tracker;
mod visitor;
mod ways;
mod webhooks;

pub(crate) use self::{
    passkeys::{Authenticator, add as add_passkey, passkeys},
    visitor::{PASSWORD, Visitor, dev_mail, make_account, signed_in},
    ways::{faces, recovery_codes},
};
