//! Webhooks: a site's own addresses that are told what happens on it.
//!
//! A [`Message`] is written into the outbox in the transaction of what it tells of, once for each address that
//! wants it, and posted by whichever server takes it, signed as <https://www.standardwebhooks.com> says.

mod courier;
mod flow;
mod message;
mod model;
pub mod pages;
mod secret;
mod store;

pub use self::{
    courier::{WebhookCourier, try_out},
    flow::{Replay, Wanted, add, remove, replay, rotate_secret, switch},
    message::{Data, Message, Payload, message_id},
    model::{Topic, Topics, Webhook, WebhookError},
    store::{find, of_site},
};
