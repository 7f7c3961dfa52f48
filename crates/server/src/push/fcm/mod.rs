//! Firebase Cloud Messaging by its HTTP v1 interface (<https://firebase.google.com/docs/reference/fcm/rest/v1>): native apps
//! on Android and iOS are woken by it. Google knows a sender by a service account, which the operator brings: for the
//! installation, or for one site that has an app of its own.

mod account;
mod answer;
mod key_file;
mod message;
mod send;
mod token;

pub(super) use self::send::Ready;
pub use self::{
    account::{Account, account_for, accounts, remove_account, set_account},
    key_file::{AccountError, KeyFile},
    send::Fcm,
};
