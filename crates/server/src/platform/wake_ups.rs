//! Wakes what waits for something to happen to a client, on this server. A hint only: whoever is
//! woken looks into the database, and looks again now and then in case
//! it was another server that knew.

use std::sync::Arc;

use tokio::sync::watch;
use uuid::Uuid;

/// Waiters share a few channels; being woken for someone else costs one look.
const CHANNELS: usize = 256;

/// Where those who wait are woken.
#[derive(Clone)]
pub struct WakeUps(Arc<[watch::Sender<()>]>);

impl Default for WakeUps {
    fn default() -> Self {
        Self((0..CHANNELS).map(|_| watch::Sender::new(())).collect())
    }
}

impl WakeUps {
    fn of(&self, client_id: Uuid) -> &watch::Sender<()> {
        &self.0[usize::from(client_id.as_bytes()[15]) % CHANNELS]
    }

    /// Wakes all who wait for this client.
    pub fn wake(&self, client_id: Uuid) {
        self.of(client_id).send_replace(());
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
