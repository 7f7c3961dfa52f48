//! One subscription of one session.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crate::frame::{HistoryRequest, Protocol};
use crate::history::Since;
use crate::hub::Attachment;
use crate::identifier::Identifier;
use crate::message::{Note, Position, Published};
use crate::resume::{Receipt, SavedSubscription};
use crate::stats::Counters;

/// How many idempotency keys a subscription remembers.
const KEYS: usize = 64;

/// Pings that a resumed subscription waits for its client to ask for history.
const RESUME_PINGS: u8 = 2;

#[derive(Debug)]
pub(crate) struct Subscription {
    attachment: Attachment,
    /// Where each stream stood when it was attached; empty where that does not matter.
    positions: Vec<Option<Position>>,
    /// The keys delivered, latest last.
    keys: Vec<Arc<str>>,
    /// How far its client has each stream; what is live but not later has been sent.
    replayed: Vec<(Arc<str>, Position)>,
    phase: Phase,
    /// The receipt that is awaited for the latest confirmation; `None` if the client has it, or is
    /// resumed and may never have had it.
    confirming: Option<u32>,
    /// The receipt that is awaited for what existed, and what has been received.
    awaited: Option<u32>,
    receipt: Receipt,
    counters: Arc<Counters>,
}

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    /// Messages go out as they come.
    Live,
    /// Resumed; messages are held for this many pings, or until the client says how far it was.
    Waiting(u8),
    /// History is being fetched; messages are held.
    CatchingUp,
}

/// A question to the history.
pub(crate) struct Query {
    /// What to read, stream by stream; `None` if the client did not say.
    pub(crate) since: Option<Vec<(Arc<str>, Since)>>,
    /// Whether the subscription was just resumed.
    pub(crate) resumed: bool,
    /// Whether the client may never have heard what existed when it subscribed.
    pub(crate) needs_state: bool,
    /// What the client says it has seen.
    pub(crate) request: Option<HistoryRequest>,
    pub(crate) streams: Vec<Arc<str>>,
}

impl Subscription {
    pub(crate) fn new(
        attachment: Attachment,
        positions: Vec<Option<Position>>,
        counters: Arc<Counters>,
    ) -> Self {
        counters.subscriptions.fetch_add(1, Relaxed);
        Self {
            attachment,
            positions,
            keys: Vec::new(),
            replayed: Vec::new(),
            phase: Phase::Live,
            confirming: None,
            awaited: None,
            receipt: Receipt {
                state: true,
                keys: Vec::new(),
            },
            counters,
        }
    }

    /// The same as the continuation of a session: its client has what the receipt says, and is
    /// going to say how far it was.
    pub(crate) fn resumed(mut self, receipt: Receipt) -> Self {
        self.keys = receipt.keys.iter().map(|key| key.as_str().into()).collect();
        self.receipt = receipt;
        self.phase = Phase::Waiting(RESUME_PINGS);
        self
    }

    /// Whether a repeated `subscribe` is to be confirmed.
    pub(crate) fn confirms_again(&self) -> bool {
        self.confirming.is_none()
    }

    /// A confirmation has been sent; when this receipt comes, the client has it.
    pub(crate) fn await_confirmation(&mut self, receipt: u32) {
        self.confirming = Some(receipt);
    }

    /// What existed has been sent; when this receipt comes, the client has it.
    pub(crate) fn await_receipt(&mut self, receipt: u32) {
        self.awaited = Some(receipt);
        self.receipt.state = false;
    }

    /// Takes note of a receipt; whether it says anything new.
    pub(crate) fn receive(&mut self, receipt: u32) -> bool {
        self.confirming = self.confirming.filter(|awaited| *awaited > receipt);
        if self.awaited.is_none_or(|awaited| awaited > receipt) {
            return false;
        }
        self.awaited = None;
        let keys = self
            .keys
            .iter()
            .map(|key| key.as_ref().to_owned())
            .collect();
        self.receipt = Receipt { state: true, keys };
        true
    }

    pub(crate) fn number(&self) -> u32 {
        self.attachment.subscription()
    }

    pub(crate) fn identifier(&self) -> &Identifier {
        self.attachment.identifier()
    }

    pub(crate) fn streams(&self) -> &[Arc<str>] {
        self.attachment.streams()
    }

    pub(crate) fn protocol(&self) -> Protocol {
        self.attachment.protocol()
    }

    pub(crate) fn count_delivered(&self) {
        self.counters.delivered.fetch_add(1, Relaxed);
    }

    pub(crate) fn count_history_miss(&self) {
        self.counters.history_misses.fetch_add(1, Relaxed);
    }

    /// Whether a live message is still to be delivered; if so, it counts as delivered.
    pub(crate) fn accepts(&mut self, note: &Note) -> bool {
        let replayed = note.position.as_ref().is_some_and(|position| {
            self.replayed
                .iter()
                .any(|(stream, upto)| *stream == note.stream && position.reached_by(upto))
        });
        !replayed && self.accepts_key(note.key.as_ref())
    }

    /// Whether a message with this key is still to be delivered.
    pub(crate) fn accepts_key(&mut self, key: Option<&Arc<str>>) -> bool {
        let Some(key) = key else { return true };
        if self.keys.contains(key) {
            return false;
        }
        if self.keys.len() == KEYS {
            self.keys.remove(0);
        }
        self.keys.push(Arc::clone(key));
        true
    }

    /// Whether a message from the history is still to be delivered; it counts as replayed.
    pub(crate) fn accepts_replay(&mut self, published: &Published) -> bool {
        if let Some(position) = &published.position {
            self.counters.replayed.fetch_add(1, Relaxed);
            self.advance_to(&published.stream, position);
        }
        self.accepts_key(published.message.key.as_ref())
    }

    /// Takes note that its client has a stream up to a position.
    pub(crate) fn advance_to(&mut self, stream: &Arc<str>, position: &Position) {
        match self.replayed.iter_mut().find(|(name, _)| name == stream) {
            Some((_, upto)) if position.reached_by(upto) => {}
            Some((_, upto)) => *upto = position.clone(),
            None => self.replayed.push((Arc::clone(stream), position.clone())),
        }
    }

    /// Whether live messages must wait.
    pub(crate) fn is_behind(&self) -> bool {
        self.phase != Phase::Live
    }

    pub(crate) fn mark_live(&mut self) {
        self.phase = Phase::Live;
    }

    /// At a ping: whether the client had its chance to ask for history and messages go out now.
    pub(crate) fn wait_is_over(&mut self) -> bool {
        match &mut self.phase {
            Phase::Waiting(pings) if *pings > 1 => {
                *pings -= 1;
                false
            }
            Phase::Waiting(_) => {
                self.phase = Phase::Live;
                true
            }
            Phase::Live | Phase::CatchingUp => false,
        }
    }

    /// What to look up for a `history` command. A resumed subscription is asked once; where its
    /// client has heard nothing of a stream, everything since it was attached was missed.
    pub(crate) fn start_catching_up(&mut self, request: Option<HistoryRequest>) -> Query {
        let resumed = matches!(self.phase, Phase::Waiting(_));
        self.phase = Phase::CatchingUp;
        let fallback = if resumed {
            self.positions.as_slice()
        } else {
            &[]
        };
        let streams = self.attachment.streams();
        let since = request
            .as_ref()
            .map(|request| request.since_for(streams, fallback));
        Query {
            since: since.filter(|since| !since.is_empty() || resumed),
            resumed,
            needs_state: resumed && !self.receipt.state,
            request,
            streams: streams.to_vec(),
        }
    }

    pub(crate) fn save(&self) -> SavedSubscription {
        let known = self.attachment.streams().iter().zip(&self.positions);
        SavedSubscription::new(
            self.identifier(),
            known.filter_map(|(stream, at)| Some((stream.as_ref(), at.as_ref()?))),
            self.receipt.clone(),
        )
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.counters.subscriptions.fetch_sub(1, Relaxed);
    }
}
