//! What an application implements.

use std::future::Future;

use crate::identifier::Identifier;
use crate::message::Message;

/// The application does not let a client subscribe: `reject_subscription`. The protocol carries no
/// reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejected;

/// The application behind a cable: who may follow what, and what is true when they begin.
///
/// The methods of one connection are called one after another, those of different connections
/// at the same time. While a method runs, the connection goes on receiving pings and messages
/// but its next command waits.
///
/// The promise about order: [`subscribe`](Self::subscribe) names streams; the subscription is
/// attached to them, and from then on no message to them is lost; only then is
/// [`confirmed`](Self::confirmed) called to look at what already exists. The client is sent
/// `confirm_subscription`, then what `confirmed` gave, then the messages that came meanwhile.
/// With the same [key](Message::with_key), what is both found and broadcast arrives once.
pub trait Application: Send + Sync + 'static {
    /// Who is connected: whatever the application found out before the upgrade.
    type Connection: Send + Sync + 'static;

    /// Names by which [`Cable::disconnect`](crate::Cable::disconnect) finds this connection, such
    /// as `user:17`. Asked once, when it opens.
    fn tags(&self, connection: &Self::Connection) -> Vec<String> {
        let _ = connection;
        Vec::new()
    }

    /// The streams that a subscription with this identifier follows, or a refusal. Also called for
    /// the subscriptions of a resumed session, so that a right that ended is not resumed.
    ///
    /// Clients of `actioncable-v1-ext-json` are told the names of their streams.
    fn subscribe(
        &self,
        connection: &Self::Connection,
        identifier: &Identifier,
    ) -> impl Future<Output = Result<Vec<String>, Rejected>> + Send;

    /// What to tell a new subscriber at once: the state that already exists. Called when the
    /// streams are attached; and again when messages may have been lost, to tell what is missing
    /// of it (by its key).
    fn confirmed(
        &self,
        connection: &Self::Connection,
        identifier: &Identifier,
    ) -> impl Future<Output = Vec<Message>> + Send {
        let _ = (connection, identifier);
        async { Vec::new() }
    }

    /// A message from the client to its subscription. `data` is the JSON it sent; by custom
    /// `data["action"]` says what to do. What is returned is sent to this subscription alone.
    fn perform(
        &self,
        connection: &Self::Connection,
        identifier: &Identifier,
        data: serde_json::Value,
    ) -> impl Future<Output = Vec<Message>> + Send {
        let _ = (connection, identifier, data);
        async { Vec::new() }
    }

    /// A confirmed subscription has ended, because the client said so or is gone.
    fn unsubscribed(
        &self,
        connection: &Self::Connection,
        identifier: &Identifier,
    ) -> impl Future<Output = ()> + Send {
        let _ = (connection, identifier);
        async {}
    }
}
