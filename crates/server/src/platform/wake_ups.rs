//! Wakes what waits for something to happen to a client, on this server. A hint only: whoever is
//! woken looks into the database, and looks again now and then in case another server rang.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::watch;
use uuid::Uuid;

/// Waiters share a few bells; being woken for someone else costs one look.
const BELLS: usize = 256;

/// A set of bells.
#[derive(Clone)]
pub struct Bell {
    bells: Arc<[watch::Sender<()>]>,
    ended: Arc<AtomicBool>,
}

impl Default for Bell {
    fn default() -> Self {
        Self {
            bells: (0..BELLS).map(|_| watch::Sender::new(())).collect(),
            ended: Arc::default(),
        }
    }
}

impl Bell {
    fn of(&self, client_id: Uuid) -> &watch::Sender<()> {
        &self.bells[usize::from(client_id.as_bytes()[15]) % BELLS]
    }

    /// Wakes all who wait for this client.
    pub fn ring(&self, client_id: Uuid) {
        self.of(client_id).send_replace(());
    }

    /// Wakes everyone for good: the server stops, and who waits should be answered.
    pub fn end_waiting(&self) {
        self.ended.store(true, Ordering::Release);
        for bell in self.bells.iter() {
            bell.send_replace(());
        }
    }

    /// Whether nobody is to wait any more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Ends at the first ring after this call, not after the first poll.
    pub fn wait(&self, client_id: Uuid) -> impl Future<Output = ()> + use<> {
        let mut bell = self.of(client_id).subscribe();
        async move {
            // The sender lives as long as the program.
            let _ = bell.changed().await;
        }
    }
}
