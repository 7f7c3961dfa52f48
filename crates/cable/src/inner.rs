//! What the connections of one cable share.

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Once};

use crate::admission::Admissions;
use crate::fanout::Fanout;
use crate::frame;
use crate::hub::Hub;
use crate::options::Options;
use crate::registry::{Registry, SLOTS};
use crate::stats::{Counters, Stats};

pub(crate) struct Inner {
    pub(crate) options: Options,
    pub(crate) hub: Arc<Hub>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) fanout: Box<dyn Fanout>,
    pub(crate) admissions: Arc<Admissions>,
    draining: AtomicBool,
    ticker: Once,
}

impl Inner {
    pub(crate) fn new(
        options: Options,
        hub: Arc<Hub>,
        registry: Arc<Registry>,
        counters: Arc<Counters>,
        fanout: Box<dyn Fanout>,
    ) -> Self {
        let admissions = Admissions::new(options.max_connections, options.max_connections_per_peer);
        Self {
            options,
            hub,
            registry,
            counters,
            fanout,
            admissions: Arc::new(admissions),
            draining: AtomicBool::new(false),
            ticker: Once::new(),
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        self.counters.read()
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(SeqCst)
    }

    pub(crate) fn start_draining(&self) {
        self.draining.store(true, SeqCst);
    }

    /// One timer for all pings of the process. It stops when the cable is gone.
    pub(crate) fn start_ticker(self: &Arc<Self>) {
        self.ticker.call_once(|| {
            let weak = Arc::downgrade(self);
            let mut interval = tokio::time::interval(self.options.ping_interval / SLOTS);
            interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            tokio::spawn(async move {
                // The first tick of an interval comes at once.
                interval.tick().await;
                loop {
                    interval.tick().await;
                    let Some(inner) = weak.upgrade() else { break };
                    inner
                        .registry
                        .tick(|| frame::ping(inner.options.clock.now().as_secs()));
                }
            });
        });
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
