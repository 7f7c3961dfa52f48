//! All connections of this process: who is to be pinged when, and who answers to which tag.

use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicUsize};
use std::sync::{Arc, Mutex, Weak};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::mailbox::Mailbox;
use crate::options::Disconnect;
use crate::stats::Counters;
use crate::sync::lock;

/// Slots of the ping wheel. A connection is pinged whenever its slot comes round; it is put into
/// the slot that has just passed, so that its first ping comes one interval after it connected
/// and pings are spread as the connections came.
pub(crate) const SLOTS: u32 = 30;

/// The connections of one tag, by the address of their mailbox.
type Tagged = HashMap<usize, Weak<Mailbox>>;

#[derive(Debug)]
pub(crate) struct Registry {
    slots: Box<[Mutex<Vec<Weak<Mailbox>>>]>,
    next_slot: AtomicUsize,
    /// Slots left whose connections are to be told again what exists.
    slots_to_refresh: AtomicU32,
    tags: Mutex<HashMap<String, Tagged>>,
    counters: Arc<Counters>,
    /// Told when the last connection leaves.
    empty: Notify,
}

impl Registry {
    pub(crate) fn new(counters: Arc<Counters>) -> Self {
        let slots = std::iter::repeat_with(Mutex::default)
            .take(SLOTS as usize)
            .collect();
        Self {
            slots,
            next_slot: AtomicUsize::new(0),
            slots_to_refresh: AtomicU32::new(0),
            tags: Mutex::default(),
            counters,
            empty: Notify::new(),
        }
    }

    /// Adds a connection until the registration is dropped.
    pub(crate) fn register(
        self: &Arc<Self>,
        mailbox: &Arc<Mailbox>,
        tags: Vec<String>,
    ) -> Registration {
        let slot = self.next_slot.load(Relaxed) % self.slots.len();
        lock(&self.slots[slot]).push(Arc::downgrade(mailbox));
        if !tags.is_empty() {
            let mut by_tag = lock(&self.tags);
            for tag in &tags {
                by_tag
                    .entry(tag.clone())
                    .or_default()
                    .insert(address(mailbox), Arc::downgrade(mailbox));
            }
        }
        self.counters.connections.fetch_add(1, Relaxed);
        self.counters.connected.fetch_add(1, Relaxed);
        Registration {
            registry: Arc::clone(self),
            mailbox: Arc::clone(mailbox),
            tags: tags.into(),
        }
    }

    /// Has every connection told again what exists, in the course of the next round of pings: not
    /// all at once, for each has to ask the application.
    pub(crate) fn refresh_all(&self) {
        self.slots_to_refresh.store(SLOTS, Relaxed);
    }

    /// Moves the next_slot on by one slot and pings the connections there. The frame is made only if
    /// there is someone to send it to.
    pub(crate) fn tick(&self, frame: impl FnOnce() -> Bytes) {
        let slot = (self.next_slot.fetch_add(1, Relaxed) + 1) % self.slots.len();
        let count_down = |left: u32| left.checked_sub(1);
        let refresh = self
            .slots_to_refresh
            .fetch_update(Relaxed, Relaxed, count_down)
            .is_ok();
        let mut members = lock(&self.slots[slot]);
        if members.is_empty() {
            return;
        }
        let frame = frame();
        members.retain(|member| match member.upgrade() {
            Some(mailbox) => {
                mailbox.ping(frame.clone(), refresh);
                true
            }
            None => false,
        });
        if members.len() * 4 < members.capacity() {
            members.shrink_to_fit();
        }
    }

    /// Ends the connections that answer to a tag; how many there were.
    pub(crate) fn disconnect(&self, tag: &str, disconnect: &Disconnect) -> usize {
        let members: Vec<_> = match lock(&self.tags).get(tag) {
            Some(members) => members.values().filter_map(Weak::upgrade).collect(),
            None => return 0,
        };
        members
            .iter()
            .for_each(|mailbox| mailbox.close(disconnect.clone()));
        members.len()
    }

    /// Waits until there is no connection.
    pub(crate) async fn emptied(&self) {
        loop {
            let emptied = self.empty.notified();
            if self.counters.connections.load(Relaxed) == 0 {
                return;
            }
            emptied.await;
        }
    }

    /// The mailboxes of all connections that are open now.
    pub(crate) fn all(&self) -> Vec<Weak<Mailbox>> {
        self.slots
            .iter()
            .flat_map(|slot| lock(slot).clone())
            .collect()
    }
}

fn address(mailbox: &Arc<Mailbox>) -> usize {
    Arc::as_ptr(mailbox).addr()
}

/// A connection's place in the registry; dropping it is leaving.
#[derive(Debug)]
pub(crate) struct Registration {
    registry: Arc<Registry>,
    mailbox: Arc<Mailbox>,
    tags: Box<[String]>,
}

impl Drop for Registration {
    fn drop(&mut self) {
        // The slot drops its weak reference when its turn comes.
        if self.registry.counters.connections.fetch_sub(1, Relaxed) == 1 {
            self.registry.empty.notify_waiters();
        }
        if self.tags.is_empty() {
            return;
        }
        let mut by_tag = lock(&self.registry.tags);
        for tag in &self.tags {
            if let Some(members) = by_tag.get_mut(tag) {
                members.remove(&address(&self.mailbox));
                if members.is_empty() {
                    by_tag.remove(tag);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has_mail(mailbox: &Mailbox) -> bool {
        mailbox.take().is_some()
    }

    #[test]
    fn pings_once_a_round() {
        let registry = Arc::new(Registry::new(Arc::default()));
        let mailbox = Arc::<Mailbox>::default();
        let registration = registry.register(&mailbox, Vec::new());
        for _ in 1..SLOTS {
            registry.tick(|| panic!("nobody is there"));
        }
        registry.tick(|| Bytes::from_static(b"ping"));
        assert!(!mailbox.take().unwrap().refresh);
        assert!(!has_mail(&mailbox));

        registry.refresh_all();
        for refresh in [true, false] {
            for _ in 0..SLOTS {
                registry.tick(|| Bytes::from_static(b"ping"));
            }
            assert_eq!(
                mailbox.take().unwrap().refresh,
                refresh,
                "once, in one round"
            );
        }

        drop((registration, mailbox));
        for _ in 0..SLOTS {
            registry.tick(|| Bytes::from_static(b"ping"));
        }
        assert!(registry.all().is_empty());
    }

    #[test]
    fn tags_find_and_forget() {
        let registry = Arc::new(Registry::new(Arc::default()));
        let (a, b) = (Arc::<Mailbox>::default(), Arc::<Mailbox>::default());
        let first = registry.register(&a, vec!["site:1".into(), "client:1".into()]);
        let _second = registry.register(&b, vec!["site:1".into()]);
        assert_eq!(
            registry.disconnect("client:1", &Disconnect::remote(false)),
            1
        );
        assert!(has_mail(&a) && !has_mail(&b));
        drop(first);
        assert_eq!(
            registry.disconnect("client:1", &Disconnect::remote(false)),
            0
        );
        assert_eq!(registry.disconnect("site:1", &Disconnect::remote(false)), 1);
        assert_eq!(lock(&registry.tags).len(), 1);
    }
}
