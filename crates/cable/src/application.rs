//! What an application implements.

use std::future::Future;

use crate::identifier::Identifier;
use crate::message::Message;
use crate::options::Disconnect;

/// Why a client does not get a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// It is not the client's to follow, or there is no such thing: `reject_subscription`, which is
    /// final and for which the protocol has no reason.
    Subscription,
    /// The application cannot answer now, the client asks too often, or its connection is worth
    /// nothing any more: the whole connection ends with a reason, and its client may come back.
    Connection(Disconnect),
}

impl From<Disconnect> for Denied {
    fn from(disconnect: Disconnect) -> Self {
        Self::Connection(disconnect)
    }
}

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

    /// Whether a connection may go on: asked before each command of its client and at every ping,
    /// so that a right ends when its time is over. Must answer at once.
    ///
    /// # Errors
    /// Why the connection ends, such as [`Disconnect::token_expired`].
    fn check(&self, connection: &Self::Connection) -> Result<(), Disconnect> {
        let _ = connection;
        Ok(())
    }

    /// The streams that a subscription with this identifier follows, or a refusal. Also called for
    /// the subscriptions of a resumed session, so that a right that ended is not resumed.
    ///
    /// Clients of `actioncable-v1-ext-json` are told the names of their streams.
    fn subscribe(
        &self,
        connection: &Self::Connection,
        identifier: &Identifier,
    ) -> impl Future<Output = Result<Vec<String>, Denied>> + Send;

    /// What to tell a new subscriber at once: the state that already exists. Called when the
    /// streams are attached; and again when messages may have been lost, to tell what is missing
    /// of it (by its key). If it fails, the connection ends as it says.
    fn confirmed(
        &self,
        connection: &Self::Connection,
        identifier: &Identifier,
    ) -> impl Future<Output = Result<Vec<Message>, Disconnect>> + Send {
        let _ = (connection, identifier);
        async { Ok(Vec::new()) }
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
