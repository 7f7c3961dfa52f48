//! The bounded queue between the hub and one session.
//!
//! Made for many idle connections: an empty mailbox owns no heap memory besides itself, and
//! whoever fills it never waits.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use crate::message::Note;
use crate::options::Disconnect;
use crate::sync::lock;

/// A published message on its way to one subscription of one session.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// The subscription, by its number within the session.
    pub(crate) subscription: u32,
    /// The frame to send, shared by all who receive the same bytes.
    pub(crate) frame: Bytes,
    /// Its idempotency key and position.
    pub(crate) note: Arc<Note>,
}

/// How much a mailbox holds before its reader counts as too slow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

/// What a session finds when it looks.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    pub(crate) items: VecDeque<Item>,
    pub(crate) ping: Option<Bytes>,
    /// What exists is to be sent again, for messages may have been lost.
    pub(crate) refresh: bool,
    pub(crate) closing: Option<Disconnect>,
}

#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Item>,
    bytes: usize,
    ping: Option<Bytes>,
    refresh: bool,
    closing: Option<Disconnect>,
    waker: Option<Waker>,
}

impl Mailbox {
    /// Adds a message. If there is no room, what is queued is thrown away and the session is told
    /// to close; true in that case.
    pub(crate) fn push(&self, item: Item, bound: Bound) -> bool {
        let mut state = lock(&self.state);
        if state.closing.is_some() {
            return false;
        }
        let full = state.items.len() >= bound.messages
            || (state.bytes + item.frame.len() > bound.bytes && !state.items.is_empty());
        if full {
            state.items = VecDeque::new();
            state.closing = Some(Disconnect::too_slow());
        } else {
            state.bytes += item.frame.len();
            state.items.push_back(item);
        }
        let waker = state.waker.take();
        drop(state);
        wake(waker);
        full
    }

    /// Leaves a ping, with the order to send what exists again (`refresh`) or without. One that has not been
    /// fetched yet is replaced: pings do not pile up.
    pub(crate) fn ping(&self, frame: Bytes, refresh: bool) {
        let mut state = lock(&self.state);
        state.ping = Some(frame);
        state.refresh |= refresh;
        let waker = state.waker.take();
        drop(state);
        wake(waker);
    }

    /// Tells the session to send `disconnect` and end. The first reason stays.
    pub(crate) fn close(&self, disconnect: Disconnect) {
        let mut state = lock(&self.state);
        state.closing.get_or_insert(disconnect);
        let waker = state.waker.take();
        drop(state);
        wake(waker);
    }

    /// Fetches everything, as soon as there is anything.
    pub(crate) fn poll_mail(&self, cx: &mut Context<'_>) -> Poll<Mail> {
        let mut state = lock(&self.state);
        match state.take() {
            Some(mail) => Poll::Ready(mail),
            None => {
                register(&mut state.waker, cx);
                Poll::Pending
            }
        }
    }

    /// Fetches what is there now.
    pub(crate) fn take(&self) -> Option<Mail> {
        lock(&self.state).take()
    }

    /// Waits for the order to close only.
    pub(crate) fn poll_closing(&self, cx: &mut Context<'_>) -> Poll<Disconnect> {
        let mut state = lock(&self.state);
        match &state.closing {
            Some(disconnect) => Poll::Ready(disconnect.clone()),
            None => {
                register(&mut state.waker, cx);
                Poll::Pending
            }
        }
    }
}

impl State {
    fn take(&mut self) -> Option<Mail> {
        if self.items.is_empty() && self.ping.is_none() && self.closing.is_none() {
            return None;
        }
        self.bytes = 0;
        Some(Mail {
            items: std::mem::take(&mut self.items),
            ping: self.ping.take(),
            refresh: std::mem::take(&mut self.refresh),
            closing: self.closing.clone(),
        })
    }
}

fn register(slot: &mut Option<Waker>, cx: &Context<'_>) {
    match slot {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *slot = Some(cx.waker().clone()),
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Bound = Bound {
        messages: 2,
        bytes: 10,
    };

    fn item(text: &'static str) -> Item {
        Item {
            subscription: 1,
            frame: Bytes::from_static(text.as_bytes()),
            note: Arc::new(Note {
                stream: "s".into(),
                key: None,
                position: None,
                sent: None,
            }),
        }
    }

    #[test]
    fn hands_over_everything_at_once() {
        let mailbox = Mailbox::default();
        assert!(mailbox.take().is_none());
        assert!(!mailbox.push(item("a"), BOUND));
        assert!(!mailbox.push(item("b"), BOUND));
        mailbox.ping(Bytes::from_static(b"1"), true);
        mailbox.ping(Bytes::from_static(b"2"), false);
        let got = mailbox.take().unwrap();
        assert!(got.refresh, "an order is not lost");
        assert_eq!(got.items.len(), 2);
        assert_eq!(got.ping.unwrap(), "2");
        assert!(mailbox.take().is_none());
    }

    #[test]
    fn a_full_mailbox_is_emptied_and_closed() {
        let mailbox = Mailbox::default();
        assert!(!mailbox.push(item("a"), BOUND));
        assert!(!mailbox.push(item("b"), BOUND));
        assert!(mailbox.push(item("c"), BOUND), "one too many");
        assert!(!mailbox.push(item("d"), BOUND), "counted once");
        let got = mailbox.take().unwrap();
        assert!(got.items.is_empty());
        assert_eq!(got.closing.unwrap(), Disconnect::too_slow());
    }

    #[test]
    fn bytes_are_bounded_but_one_large_message_passes() {
        let mailbox = Mailbox::default();
        assert!(!mailbox.push(item("larger than ten"), BOUND));
        assert!(mailbox.push(item("a"), BOUND));
    }
}
