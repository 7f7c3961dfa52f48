//! How messages travel between the processes that serve one cable.

pub mod memory;

use std::sync::Arc;

use crate::hub::Hub;
use crate::message::{Message, Published};
use crate::options::Disconnect;
use crate::registry::Registry;

pub use memory::Memory;

/// Carries broadcasts to every process of a cable, this one included.
pub trait Fanout: Send + Sync + 'static {
    /// Called once, before anything else: where to deliver what arrives.
    fn start(&self, local: Local);

    /// Carries a message to all who follow a stream, without blocking. Messages to one stream
    /// from one process arrive in order.
    fn publish(&self, stream: &str, message: Message);

    /// Ends the connections that answer to a tag, in every process, without blocking.
    fn disconnect(&self, tag: &str, disconnect: Disconnect);
}

/// The connections of this process, as a [`Fanout`] sees them.
#[derive(Clone, Debug)]
pub struct Local {
    hub: Arc<Hub>,
    registry: Arc<Registry>,
}

impl Local {
    pub(crate) fn new(hub: Arc<Hub>, registry: Arc<Registry>) -> Self {
        Self { hub, registry }
    }

    /// Puts a message into the queues of all who follow its stream here. Messages to one stream
    /// must be delivered one after another, in order.
    pub fn deliver(&self, published: &Arc<Published>) {
        self.hub.deliver(published);
    }

    /// Ends the connections that answer to a tag here.
    pub fn disconnect(&self, tag: &str, disconnect: &Disconnect) {
        self.registry.disconnect(tag, disconnect);
    }
}
