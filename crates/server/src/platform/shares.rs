//! Shares of what this process has little of: nobody takes all of it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::network::Network;

/// Who holds a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holder {
    /// One phone: a quarter at most.
    Device(Uuid),
    /// All of one site, its phones, its pages and its backend: a half at most.
    Site(Uuid),
    /// Everyone at one network: a quarter at most.
    Network(Network),
}

impl Holder {
    const fn most(self, total: usize) -> usize {
        match self {
            Self::Device(_) | Self::Network(_) => total / 4,
            Self::Site(_) => total / 2,
        }
    }
}

/// Something of which there is so much and no more.
pub struct Shares {
    total: usize,
    device_most: usize,
    left: Arc<Semaphore>,
    held: Mutex<HashMap<Holder, usize>>,
}

impl Shares {
    /// So much in all.
    #[must_use]
    pub fn of(total: usize) -> Arc<Self> {
        Self::with_device_most(total, usize::MAX)
    }

    /// The same where one device may have no more than this, whatever its part is.
    #[must_use]
    pub fn with_device_most(total: usize, device_most: usize) -> Arc<Self> {
        let total = total.min(Semaphore::MAX_PERMITS);
        Arc::new(Self {
            total,
            device_most,
            left: Arc::new(Semaphore::new(total)),
            held: Mutex::default(),
        })
    }

    /// Takes so much for these holders; `None` where there is not as much left, or one of them would have
    /// more than their part. Whoever has nothing yet may have one thing of whatever size.
    #[must_use]
    pub fn take(self: &Arc<Self>, amount: usize, holders: &[Holder]) -> Option<Share> {
        let permits = u32::try_from(amount).ok()?;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let is_theirs = |holder: &Holder| {
            let has = held.get(holder).copied().unwrap_or(0);
            has == 0 || has + amount <= self.most(*holder)
        };
        if !holders.iter().all(is_theirs) {
            return None;
        }
        let permit = self.left.clone().try_acquire_many_owned(permits).ok()?;
        for holder in holders {
            *held.entry(*holder).or_insert(0) += amount;
        }
        Some(Share {
            shares: self.clone(),
            amount,
            holders: holders.to_vec(),
            _permit: permit,
        })
    }

    fn most(&self, holder: Holder) -> usize {
        let most = holder.most(self.total);
        match holder {
            Holder::Device(_) => most.min(self.device_most),
            Holder::Site(_) | Holder::Network(_) => most,
        }
    }

    /// How much nobody holds.
    #[must_use]
    pub fn left(&self) -> usize {
        self.left.available_permits()
    }
}

/// What somebody holds until it is dropped.
pub struct Share {
    shares: Arc<Shares>,
    amount: usize,
    holders: Vec<Holder>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self
            .shares
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for holder in &self.holders {
            let has = held.remove(holder).unwrap_or(0).saturating_sub(self.amount);
            if has > 0 {
                held.insert(*holder, has);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_all() {
        let shares = Shares::of(100);
        let site = Holder::Site(Uuid::new_v4());
        let phone = || Holder::Device(Uuid::new_v4());
        let (ann, bob) = (phone(), phone());
        let first = shares.take(20, &[ann, site]).unwrap();
        assert!(
            shares.take(10, &[ann, site]).is_none(),
            "a quarter for one phone"
        );
        let _second = shares.take(25, &[bob, site]).unwrap();
        assert!(
            shares.take(10, &[phone(), site]).is_none(),
            "a half for one site"
        );
        let other = shares.take(55, &[Holder::Site(Uuid::new_v4())]);
        assert!(
            other.is_some(),
            "what one has not may be another's, of whatever size"
        );
        assert!(
            shares.take(1, &[Holder::Site(Uuid::new_v4())]).is_none(),
            "there is no more"
        );
        drop((first, other));
        assert_eq!(shares.left(), 75);
        assert!(shares.take(25, &[ann, site]).is_some());
    }
}
