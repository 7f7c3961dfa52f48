//! Wakes what waits for something to happen to a client, on this server. A hint only: whoever is
//! woken looks into the database, and looks again now and then in case
//! it was another server that knew.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::watch;
use uuid::Uuid;

/// Waiters share a few channels; being woken for someone else costs one look.
const CHANNELS: usize = 256;

/// Where those who wait are woken.
#[derive(Clone)]
pub struct WakeUps {
    channels: Arc<[watch::Sender<()>]>,
    ended: Arc<AtomicBool>,
}

impl Default for WakeUps {
    fn default() -> Self {
        Self {
            channels: (0..CHANNELS).map(|_| watch::Sender::new(())).collect(),
            ended: Arc::default(),
        }
    }
}

impl WakeUps {
    fn of(&self, client_id: Uuid) -> &watch::Sender<()> {
        &self.channels[usize::from(client_id.as_bytes()[15]) % CHANNELS]
    }

    /// Wakes all who wait for this client.
    pub fn wake(&self, client_id: Uuid) {
        self.of(client_id).send_replace(());
    }

    /// Wakes everyone for good: the server stops, and who waits should be answered.
    pub fn end_waiting(&self) {
        self.ended.store(true, Ordering::Release);
        for channel in self.channels.iter() {
            channel.send_replace(());
        }
    }

    /// Whether nobody is to wait any more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Ends at the first wake-up after this call, not after the first poll.
    pub fn wait(&self, client_id: Uuid) -> impl Future<Output = ()> + use<> {
        let mut woken = self.of(client_id).subscribe();
        async move {
            // The sender lives as long as the program.
            let _ = woken.changed().await;
        }
    }
}
