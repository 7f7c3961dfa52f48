//! What a session asks of the application, each a boxed future: an idle session carries none,
//! and the size of the application's futures is not part of its memory.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crate::cable::Inner;
use crate::channel::{Application, Rejected};
use crate::hub::{Address, Attachment};
use crate::identifier::Identifier;
use crate::message::Message;

pub(crate) type Errand = Pin<Box<dyn Future<Output = Outcome> + Send>>;

pub(crate) enum Outcome {
    Subscribed(Box<Granted>),
    Rejected(Identifier),
    Performed {
        subscription: u32,
        replies: Vec<Message>,
    },
    Unsubscribed,
}

/// A subscription that is attached but not confirmed yet.
pub(crate) struct Granted {
    pub(crate) attachment: Attachment,
    pub(crate) existing: Vec<Message>,
}

/// Waits for the errand, if there is one; forgets it when it is done.
pub(crate) fn poll(errand: &mut Option<Errand>, cx: &mut Context<'_>) -> Poll<Outcome> {
    let Some(future) = errand else {
        return Poll::Pending;
    };
    let outcome = ready!(future.as_mut().poll(cx));
    *errand = None;
    Poll::Ready(outcome)
}

pub(crate) fn subscribe<A: Application>(
    app: Arc<A>,
    connection: Arc<A::Connection>,
    cable: Arc<Inner>,
    address: Address,
) -> Errand {
    Box::pin(async move {
        let identifier = address.identifier.clone();
        match app.subscribe(&connection, &identifier).await {
            Err(Rejected) => Outcome::Rejected(identifier),
            Ok(streams) => {
                let attachment = cable.hub.attach(address, streams);
                let existing = app.confirmed(&connection, &identifier).await;
                Outcome::Subscribed(Box::new(Granted {
                    attachment,
                    existing,
                }))
            }
        }
    })
}

pub(crate) fn perform<A: Application>(
    app: Arc<A>,
    connection: Arc<A::Connection>,
    identifier: Identifier,
    data: serde_json::Value,
    subscription: u32,
) -> Errand {
    Box::pin(async move {
        let replies = app.perform(&connection, &identifier, data).await;
        Outcome::Performed {
            subscription,
            replies,
        }
    })
}

pub(crate) fn unsubscribe<A: Application>(
    app: Arc<A>,
    connection: Arc<A::Connection>,
    identifier: Identifier,
) -> Errand {
    Box::pin(async move {
        app.unsubscribed(&connection, &identifier).await;
        Outcome::Unsubscribed
    })
}
