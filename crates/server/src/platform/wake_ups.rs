//! Wakes what waits for something to happen to a client, on this server. A hint only: whoever is
//! woken looks into the database, and looks again now and then in case another server rang.

use std::sync::Arc;

use tokio::sync::watch;
use uuid::Uuid;

/// Waiters share a few bells; being woken for someone else costs one look.
const BELLS: usize = 256;

/// A set of bells.
#[derive(Clone)]
pub struct Bell(Arc<[watch::Sender<()>]>);

impl Default for Bell {
    fn default() -> Self {
        Self((0..BELLS).map(|_| watch::Sender::new(())).collect())
    }
}

impl Bell {
    fn of(&self, client_id: Uuid) -> &watch::Sender<()> {
        &self.0[usize::from(client_id.as_bytes()[15]) % BELLS]
    }

    /// Wakes all who wait for this client.
    pub fn ring(&self, client_id: Uuid) {
        self.of(client_id).send_replace(());
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
