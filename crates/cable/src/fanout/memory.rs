//! One process alone.

use std::sync::{Arc, OnceLock};

use super::{Fanout, Local};
use crate::message::{Message, Published};
use crate::options::Disconnect;

/// The fan-out of a cable that is served by one process.
#[derive(Debug, Default)]
pub struct Memory {
    local: OnceLock<Local>,
}

impl Fanout for Memory {
    fn start(&self, local: Local) {
        self.local.get_or_init(|| local);
    }

    fn publish(&self, stream: &str, message: Message) {
        if let Some(local) = self.local.get() {
            local.deliver(&Arc::new(Published {
                stream: stream.into(),
                message,
                position: None,
            }));
        }
    }

    fn disconnect(&self, tag: &str, disconnect: Disconnect) {
        if let Some(local) = self.local.get() {
            local.disconnect(tag, &disconnect);
        }
    }
}
