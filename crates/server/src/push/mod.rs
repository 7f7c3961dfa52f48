//! Pushes: telling a client's phones that a sign-on waits.
//!
//! There is one push for each phone and sign-on, written in the transaction of the sign-on; it says what became
//! of it for as long as the sign-on is kept. Where a phone can be woken, a parcel in the outbox
//! goes with it, which the courier carries: to a browser's push service, or to an app by FCM. Whatever becomes of that: an open sign-on also waits in the
//! phone's inbox (`GET /login/pending`).

mod attempt;
mod carry;
mod encrypt;
mod fcm;
mod means;
mod message;
pub mod pages;
mod ready;
mod sign_ons;
mod store;
mod try_out;
mod vapid;
mod web_push;

pub use self::{
    carry::PushCourier,
    fcm::{
        Account, AccountError, Fcm, KeyFile, account_for, accounts, remove_account, set_account,
    },
    means::Means,
    sign_ons::SignOns,
    store::{
        Lately, Push, Reached, enqueue, enqueue_nothing, erase, lately, latest, note_opened,
        note_shown, of_sign_ons,
    },
    try_out::{Tried, try_out},
    vapid::{forget_keys, knows_key, phones_by_key, public_key, rotate_key},
};
