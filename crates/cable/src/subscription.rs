//! One subscription of one session.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crate::hub::Attachment;
use crate::identifier::Identifier;
use crate::mailbox::Item;
use crate::message::Message;
use crate::stats::Counters;

/// How many idempotency keys a subscription remembers.
const KEYS: usize = 64;

#[derive(Debug)]
pub(crate) struct Subscription {
    attachment: Attachment,
    /// The keys delivered, latest last.
    keys: Vec<Arc<str>>,
    counters: Arc<Counters>,
}

impl Subscription {
    pub(crate) fn new(attachment: Attachment, counters: Arc<Counters>) -> Self {
        counters.subscriptions.fetch_add(1, Relaxed);
        Self {
            attachment,
            keys: Vec::new(),
            counters,
        }
    }

    pub(crate) fn number(&self) -> u32 {
        self.attachment.subscription()
    }

    pub(crate) fn identifier(&self) -> &Identifier {
        self.attachment.identifier()
    }

    /// Whether a live message is still to be delivered; if so, it counts as delivered.
    pub(crate) fn takes(&mut self, item: &Item) -> bool {
        self.takes_message(&item.published.message)
    }

    /// The same for a message that has no position.
    pub(crate) fn takes_message(&mut self, message: &Message) -> bool {
        let Some(key) = &message.key else { return true };
        if self.keys.contains(key) {
            return false;
        }
        if self.keys.len() == KEYS {
            self.keys.remove(0);
        }
        self.keys.push(Arc::clone(key));
        true
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.counters.subscriptions.fetch_sub(1, Relaxed);
    }
}
