//! Who follows which stream, in this process.
//!
//! Streams are spread over shards, each behind its own lock. Within a stream, subscribers whose
//! frames are the same bytes (same identifier, same protocol) form a group, so that a message is
//! encoded once per group and shared.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

use crate::frame::{self, Protocol};
use crate::identifier::Identifier;
use crate::mailbox::{Bound, Item, Mailbox};
use crate::message::{Note, Published};
use crate::stats::Counters;
use crate::sync::lock;

/// More than the threads that could meet; a power of two.
const SHARDS: usize = 64;

type Shard = HashMap<Arc<str>, Vec<Group>>;

#[derive(Debug)]
pub(crate) struct Hub {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    bound: Bound,
    counters: Arc<Counters>,
}

#[derive(Debug)]
struct Group {
    identifier: Identifier,
    protocol: Protocol,
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    mailbox: Arc<Mailbox>,
    subscription: u32,
}

/// Where the messages of a subscription go.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) subscription: u32,
    pub(crate) identifier: Identifier,
    pub(crate) protocol: Protocol,
}

impl Hub {
    pub(crate) fn new(bound: Bound, counters: Arc<Counters>) -> Self {
        let shards = std::iter::repeat_with(Mutex::default)
            .take(SHARDS)
            .collect();
        Self {
            shards,
            hasher: RandomState::new(),
            bound,
            counters,
        }
    }

    fn shard(&self, stream: &str) -> &Mutex<Shard> {
        let hash = self.hasher.hash_one(stream);
        &self.shards[(hash as usize) % SHARDS]
    }

    /// Lets a subscription follow streams, each named once, until the attachment is dropped.
    pub(crate) fn attach(self: &Arc<Self>, address: Address, streams: Vec<Arc<str>>) -> Attachment {
        for stream in &streams {
            self.join(stream, &address);
        }
        Attachment {
            hub: Arc::clone(self),
            address,
            streams: streams.into(),
        }
    }

    fn join(&self, stream: &Arc<str>, address: &Address) {
        let mut shard = lock(self.shard(stream));
        let groups = shard.entry(Arc::clone(stream)).or_insert_with(|| {
            self.counters.streams.fetch_add(1, Relaxed);
            Vec::with_capacity(1)
        });
        let member = Member {
            mailbox: Arc::clone(&address.mailbox),
            subscription: address.subscription,
        };
        match groups.iter_mut().find(|group| group.fits(address)) {
            Some(group) => group.members.push(member),
            None => groups.push(Group {
                identifier: address.identifier.clone(),
                protocol: address.protocol,
                members: vec![member],
            }),
        }
    }

    fn leave(&self, stream: &str, address: &Address) {
        let mut shard = lock(self.shard(stream));
        let Some(groups) = shard.get_mut(stream) else {
            return;
        };
        let Some(at) = groups.iter().position(|group| group.fits(address)) else {
            return;
        };
        let members = &mut groups[at].members;
        if let Some(member) = members.iter().position(|member| member.is(address)) {
            members.swap_remove(member);
        }
        if members.is_empty() {
            groups.swap_remove(at);
        }
        if groups.is_empty() {
            shard.remove(stream);
            self.counters.streams.fetch_sub(1, Relaxed);
        }
    }

    /// Puts a message into the mailboxes of all who follow its stream.
    pub(crate) fn deliver(&self, published: &Published) {
        let shard = lock(self.shard(&published.stream));
        let Some(groups) = shard.get(&published.stream) else {
            return;
        };
        let note = Arc::new(Note::from(published));
        for group in groups {
            let frame = frame::message(group.protocol, &group.identifier, published);
            for member in &group.members {
                let item = Item {
                    subscription: member.subscription,
                    frame: frame.clone(),
                    note: Arc::clone(&note),
                };
                if member.mailbox.push(item, self.bound) {
                    self.counters.slow_readers.fetch_add(1, Relaxed);
                }
            }
        }
    }
}

impl Group {
    fn fits(&self, address: &Address) -> bool {
        self.protocol == address.protocol && self.identifier.same_wire(&address.identifier)
    }
}

impl Member {
    fn is(&self, address: &Address) -> bool {
        self.subscription == address.subscription && Arc::ptr_eq(&self.mailbox, &address.mailbox)
    }
}

/// A subscription's place in the hub; dropping it is leaving.
#[derive(Debug)]
pub(crate) struct Attachment {
    hub: Arc<Hub>,
    address: Address,
    streams: Box<[Arc<str>]>,
}

impl Attachment {
    pub(crate) fn protocol(&self) -> Protocol {
        self.address.protocol
    }

    pub(crate) fn subscription(&self) -> u32 {
        self.address.subscription
    }

    pub(crate) fn identifier(&self) -> &Identifier {
        &self.address.identifier
    }

    pub(crate) fn streams(&self) -> &[Arc<str>] {
        &self.streams
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        for stream in &self.streams {
            self.hub.leave(stream, &self.address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub() -> Arc<Hub> {
        Arc::new(Hub::new(
            Bound {
                messages: 8,
                bytes: 1024,
            },
            Arc::default(),
        ))
    }

    fn address(mailbox: &Arc<Mailbox>, subscription: u32, identifier: &str) -> Address {
        Address {
            mailbox: Arc::clone(mailbox),
            subscription,
            identifier: Identifier::new(identifier),
            protocol: Protocol::V1Json,
        }
    }

    fn publish(hub: &Hub, stream: &str) {
        let message = serde_json::json!(stream).into();
        hub.deliver(&Published {
            stream: stream.into(),
            message,
            position: None,
        });
    }

    fn received(mailbox: &Mailbox) -> Vec<(u32, String)> {
        let items = mailbox.take().map(|mail| mail.items).unwrap_or_default();
        let text = |item: &Item| String::from_utf8(item.frame.to_vec()).unwrap();
        items
            .iter()
            .map(|item| (item.subscription, text(item)))
            .collect()
    }

    #[test]
    fn delivers_to_those_who_follow() {
        let hub = hub();
        let (a, b) = (Arc::<Mailbox>::default(), Arc::<Mailbox>::default());
        let _first = hub.attach(address(&a, 1, "x"), vec!["s".into(), "t".into()]);
        let _second = hub.attach(address(&b, 1, "x"), vec!["s".into()]);
        publish(&hub, "s");
        publish(&hub, "t");
        publish(&hub, "nobody");
        let s = (1, r#"{"identifier":"x","message":"s"}"#.to_owned());
        let t = (1, r#"{"identifier":"x","message":"t"}"#.to_owned());
        assert_eq!(received(&a), [s.clone(), t]);
        assert_eq!(received(&b), [s]);
    }

    #[test]
    fn those_who_follow_alike_share_the_bytes() {
        let hub = hub();
        let mailboxes: Vec<Arc<Mailbox>> = (0..3).map(|_| Arc::default()).collect();
        let _attachments: Vec<_> = mailboxes
            .iter()
            .map(|m| hub.attach(address(m, 1, "x"), vec!["s".into()]))
            .collect();
        publish(&hub, "s");
        let frames: Vec<_> = mailboxes
            .iter()
            .map(|m| m.take().unwrap().items[0].frame.as_ptr())
            .collect();
        assert!(frames.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn dropping_leaves_nothing_behind() {
        let hub = hub();
        let a = Arc::<Mailbox>::default();
        let first = hub.attach(address(&a, 1, "x"), vec!["s".into()]);
        let second = hub.attach(address(&a, 2, "y"), vec!["s".into()]);
        assert_eq!(hub.counters.streams.load(Relaxed), 1);
        drop(first);
        publish(&hub, "s");
        assert_eq!(received(&a).len(), 1);
        drop(second);
        publish(&hub, "s");
        assert!(received(&a).is_empty());
        assert_eq!(hub.counters.streams.load(Relaxed), 0);
        assert!(hub.shards.iter().all(|shard| lock(shard).is_empty()));
    }
}
