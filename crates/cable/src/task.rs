//! What a session asks of the application and of the history, each a boxed future: an idle
//! session carries none, and the size of the application's futures is not part of its memory.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crate::application::{Application, Denied};
use crate::frame::{HistoryRequest, Protocol};
use crate::history::{Lost, Since};
use crate::hub::{Address, Attachment};
use crate::identifier::Identifier;
use crate::inner::Inner;
use crate::lookup::Existing;
use crate::mailbox::Mailbox;
use crate::message::{Message, Position, Published};
use crate::options::Disconnect;
use crate::resume::Receipt;
use crate::subscription::Query;

pub(crate) type Task = Pin<Box<dyn Future<Output = Outcome> + Send>>;

pub(crate) enum Outcome {
    Subscribed(Box<Granted>),
    Rejected(Identifier),
    /// The application wants the connection to end.
    Disconnected(Disconnect),
    Resumed(Vec<Granted>),
    CaughtUp {
        subscription: u32,
        catch_up: Box<CatchUp>,
    },
    Performed {
        subscription: u32,
        replies: Vec<Message>,
    },
    Unsubscribed,
}

/// A subscription that is attached but that its client does not know of yet.
pub(crate) struct Granted {
    pub(crate) attachment: Attachment,
    /// Where each of its streams stood before it was attached, for those who may resume it.
    pub(crate) positions: Vec<Option<Position>>,
    pub(crate) catch_up: CatchUp,
    /// Of a resumed subscription, what its client is known to have.
    pub(crate) receipt: Receipt,
}

impl Granted {
    pub(crate) fn identifier(&self) -> &Identifier {
        self.attachment.identifier()
    }
}

/// What a subscription is to be told before it is live.
#[derive(Default)]
pub(crate) struct CatchUp {
    pub(crate) existing: Vec<Existing>,
    /// What was missed, where that was asked for.
    pub(crate) backlog: Option<Result<Vec<Arc<Published>>, Lost>>,
    /// How far the client was when it asked. This process may not have been as far, and what it is
    /// told meanwhile the client has had from another.
    pub(crate) reached: Vec<(Arc<str>, Position)>,
    /// The keys of what the client has passed by its own account, on a connection before this.
    pub(crate) passed: Vec<Arc<str>>,
    /// The client asked out of the blue: it gets everything, also what it was sent before.
    pub(crate) again: bool,
}

/// Waits for the task, if there is one; forgets it when it is done.
pub(crate) fn poll(task: &mut Option<Task>, cx: &mut Context<'_>) -> Poll<Outcome> {
    let Some(future) = task else {
        return Poll::Pending;
    };
    let outcome = ready!(future.as_mut().poll(cx));
    *task = None;
    Poll::Ready(outcome)
}

pub(crate) fn subscribe<A: Application>(
    app: Arc<A>,
    connection: Arc<A::Connection>,
    cable: Arc<Inner>,
    address: Address,
    history: Option<HistoryRequest>,
) -> Task {
    Box::pin(async move {
        let identifier = address.identifier.clone();
        let extended = address.protocol == Protocol::V1ExtJson;
        let streams = match app.subscribe(&connection, &identifier).await {
            Ok(streams) => distinct(streams),
            Err(Denied::Subscription) => return Outcome::Rejected(identifier),
            Err(Denied::Connection(disconnect)) => return Outcome::Disconnected(disconnect),
        };
        let positions = if extended {
            cable.positions(&streams).await
        } else {
            Vec::new()
        };
        let attachment = cable.hub.attach(address, streams);
        let existing = match app.confirmed(&connection, &identifier).await {
            Ok(existing) => existing,
            Err(disconnect) => {
                drop(attachment);
                app.unsubscribed(&connection, &identifier).await;
                return Outcome::Disconnected(disconnect);
            }
        };
        let mut catch_up = CatchUp {
            existing: without_position(existing),
            ..CatchUp::default()
        };
        if extended {
            let streams = attachment.streams();
            if let Some(history) = &history {
                let since = history.since_for(streams, &[]);
                if !since.is_empty() {
                    catch_up.backlog = Some(cable.read(&since).await);
                    catch_up.reached = positions_of(since);
                }
            }
            catch_up.passed = cable.passed(streams, history.as_ref()).await;
            cable
                .locate(&mut catch_up.existing, streams, history.as_ref())
                .await;
        }
        let receipt = Receipt::default();
        Outcome::Subscribed(Box::new(Granted {
            attachment,
            positions,
            catch_up,
            receipt,
        }))
    })
}

/// Asks the application again for each subscription of a session that was kept.
pub(crate) fn resume<A: Application>(
    app: Arc<A>,
    connection: Arc<A::Connection>,
    cable: Arc<Inner>,
    mailbox: Arc<Mailbox>,
    limit: u32,
    sid: String,
) -> Task {
    Box::pin(async move {
        let Some(session) = cable.fanout.find_session(&sid).await else {
            return Outcome::Resumed(Vec::new());
        };
        let mut all: Vec<Granted> = Vec::with_capacity(session.subscriptions.len());
        for (subscription, saved) in (0..limit).zip(&session.subscriptions) {
            let Some(identifier) = saved.identifier() else {
                continue;
            };
            let streams = match app.subscribe(&connection, &identifier).await {
                Ok(streams) => distinct(streams),
                Err(Denied::Subscription) => continue,
                Err(Denied::Connection(disconnect)) => {
                    for granted in all {
                        app.unsubscribed(&connection, granted.identifier()).await;
                    }
                    return Outcome::Disconnected(disconnect);
                }
            };
            let mut positions = Vec::with_capacity(streams.len());
            for stream in &streams {
                positions.push(match saved.position(stream) {
                    Some(position) => Some(position),
                    None => cable.fanout.position(stream).await,
                });
            }
            let mailbox = Arc::clone(&mailbox);
            let protocol = Protocol::V1ExtJson;
            let address = Address {
                mailbox,
                subscription,
                identifier,
                protocol,
            };
            let attachment = cable.hub.attach(address, streams);
            let (catch_up, receipt) = (CatchUp::default(), saved.receipt());
            all.push(Granted {
                attachment,
                positions,
                catch_up,
                receipt,
            });
        }
        Outcome::Resumed(all)
    })
}

/// Reads the history. If what a resumed subscription missed is gone, or it may have missed what
/// existed when it began, it is told what exists now.
pub(crate) fn catch_up<A: Application>(
    app: Arc<A>,
    connection: Arc<A::Connection>,
    cable: Arc<Inner>,
    identifier: Identifier,
    query: Query,
    subscription: u32,
) -> Task {
    Box::pin(async move {
        let backlog = match &query.since {
            Some(since) => cable.read(since).await,
            None => Err(Lost),
        };
        let mut existing = Vec::new();
        if query.needs_state || (query.resumed && backlog.is_err()) {
            existing = match app.confirmed(&connection, &identifier).await {
                Ok(existing) => without_position(existing),
                Err(disconnect) => return Outcome::Disconnected(disconnect),
            };
            cable
                .locate(&mut existing, &query.streams, query.request.as_ref())
                .await;
        }
        let catch_up = CatchUp {
            existing,
            backlog: Some(backlog),
            reached: positions_of(query.since.unwrap_or_default()),
            passed: cable.passed(&query.streams, query.request.as_ref()).await,
            again: !query.resumed,
        };
        Outcome::CaughtUp {
            subscription,
            catch_up: Box::new(catch_up),
        }
    })
}

/// Looks again at what exists, after messages may have been lost. What has no key cannot be told
/// from what the client has, so it is not told.
pub(crate) fn refresh<A: Application>(
    app: Arc<A>,
    connection: Arc<A::Connection>,
    cable: Arc<Inner>,
    identifier: Identifier,
    streams: Vec<Arc<str>>,
    subscription: u32,
) -> Task {
    Box::pin(async move {
        let mut existing = match app.confirmed(&connection, &identifier).await {
            Ok(existing) => existing,
            Err(disconnect) => return Outcome::Disconnected(disconnect),
        };
        existing.retain(|message| message.key.is_some());
        let mut existing = without_position(existing);
        cable.locate(&mut existing, &streams, None).await;
        let catch_up = CatchUp {
            existing,
            ..CatchUp::default()
        };
        Outcome::CaughtUp {
            subscription,
            catch_up: Box::new(catch_up),
        }
    })
}

pub(crate) fn perform<A: Application>(
    app: Arc<A>,
    connection: Arc<A::Connection>,
    identifier: Identifier,
    data: serde_json::Value,
    subscription: u32,
) -> Task {
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
) -> Task {
    Box::pin(async move {
        app.unsubscribed(&connection, &identifier).await;
        Outcome::Unsubscribed
    })
}

fn distinct(streams: Vec<String>) -> Vec<Arc<str>> {
    let mut distinct: Vec<Arc<str>> = Vec::with_capacity(streams.len());
    for stream in streams {
        if !distinct.iter().any(|known| **known == *stream) {
            distinct.push(stream.into());
        }
    }
    distinct
}

fn positions_of(since: Vec<(Arc<str>, Since)>) -> Vec<(Arc<str>, Position)> {
    let position = |(stream, since)| match since {
        Since::Position(position) => Some((stream, position)),
        Since::Start | Since::Time(_) => None,
    };
    since.into_iter().filter_map(position).collect()
}

fn without_position(messages: Vec<Message>) -> Vec<Existing> {
    messages
        .into_iter()
        .map(|message| Existing {
            message,
            position: None,
        })
        .collect()
}
