//! What the connections of this server have proven themselves by, and whether that still holds: a token that was
//! revoked ends its connections as one that has expired does, whichever server revoked it.

use std::sync::{
    Arc, Mutex, PoisonError, Weak,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use sea_orm::DbErr;
use uuid::Uuid;

use crate::{device, platform::state::State, site};

/// Most proofs looked up by one query.
const BATCH: usize = 500;

/// What a connection has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A site's or a widget's token, by its `jti`.
    Token(Uuid),
    /// The key and the token of this phone.
    Device(Uuid),
}

/// What one connection holds while it is open.
#[derive(Debug)]
pub struct Held {
    proof: Proof,
    is_over: AtomicBool,
}

impl Held {
    /// Whether what it was shown is worth nothing any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over.load(Relaxed)
    }
}

/// The proofs of all open connections.
#[derive(Debug, Default)]
pub struct Connected(Mutex<Vec<Weak<Held>>>);

impl Connected {
    /// Notes a connection; it is forgotten when nobody holds what is returned.
    pub fn enter(&self, proof: Proof) -> Arc<Held> {
        let held = Arc::new(Held {
            proof,
            is_over: AtomicBool::new(false),
        });
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Arc::downgrade(&held));
        held
    }

    /// Marks the connections whose proof was revoked; they end at the next thing that is said, or the next ping.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self, state: &State) -> Result<(), DbErr> {
        let held: Vec<Arc<Held>> = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.retain(|held| held.strong_count() > 0);
            all.iter().filter_map(Weak::upgrade).collect()
        };
        let now = state.now();
        for batch in held.chunks(BATCH) {
            let (mut tokens, mut devices) = (Vec::new(), Vec::new());
            for held in batch {
                match held.proof {
                    Proof::Token(id) => tokens.push(id),
                    Proof::Device(id) => devices.push(id),
                }
            }
            if !tokens.is_empty() {
                tokens = site::still_live(&state.db, &tokens, now).await?;
            }
            if !devices.is_empty() {
                devices = device::still_paired(&state.db, &devices, now).await?;
            }
            for held in batch {
                let holds = match held.proof {
                    Proof::Token(id) => tokens.contains(&id),
                    Proof::Device(id) => devices.contains(&id),
                };
                if !holds {
                    held.is_over.store(true, Relaxed);
                }
            }
        }
        Ok(())
    }
}
