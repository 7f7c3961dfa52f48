//! Turns at something of which there are few: whoever asks for much waits behind their own, not before others.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use super::shares::{Holder, Share, Shares};

/// So many at work, and so many that may wait for it.
pub struct Turns {
    places: Arc<Shares>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    free: usize,
    /// How many of the free ones may be taken by what takes long.
    free_slow: usize,
    waiting: Vec<Waiting>,
    /// Those at work.
    working: HashMap<u64, Job>,
    /// When each holder who waits or works had the last turn.
    served: HashMap<Holder, u64>,
    /// Counts the asking and the turns.
    count: u64,
}

/// For whom, and whether it takes several times as long as usual.
#[derive(Clone)]
struct Job {
    holders: Vec<Holder>,
    is_slow: bool,
}

struct Waiting {
    id: u64,
    job: Job,
    call: oneshot::Sender<()>,
}

impl Turns {
    /// `most` at work at once, half of them at what takes long, and `queue` more waiting.
    #[must_use]
    pub fn of(most: usize, queue: usize) -> Arc<Self> {
        Arc::new(Self {
            places: Shares::of(most + queue),
            queue: Mutex::new(Queue {
                free: most,
                free_slow: (most / 2).max(1),
                ..Queue::default()
            }),
        })
    }

    /// A turn, when it has come; `None` where too much waits already, in all or of one of the holders. Of
    /// those who wait, the holder comes next whose last turn is longest ago, by the first of `holders`, then
    /// by the next.
    pub async fn take(self: &Arc<Self>, holders: &[Holder], is_slow: bool) -> Option<Turn> {
        let place = self.places.take(1, holders)?;
        let (call, called) = oneshot::channel();
        let job = Job {
            holders: holders.to_vec(),
            is_slow,
        };
        let id = self.lock().ask(job, call);
        // From here on it is given back, also by a caller who gives up.
        let turn = Turn {
            turns: self.clone(),
            id,
            _place: place,
        };
        called.await.ok()?;
        Some(turn)
    }

    /// How many more may wait or work.
    #[must_use]
    pub fn places_left(&self) -> usize {
        self.places.left()
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn ask(&mut self, job: Job, call: oneshot::Sender<()>) -> u64 {
        self.count += 1;
        let id = self.count;
        self.waiting.push(Waiting { id, job, call });
        self.call_next();
        id
    }

    /// Calls those whose turn it is, as long as there is work for them to begin.
    fn call_next(&mut self) {
        while self.free > 0 {
            let Some(at) = self.next() else { return };
            let Waiting { id, job, call } = self.waiting.remove(at);
            self.count += 1;
            for holder in &job.holders {
                self.served.insert(*holder, self.count);
            }
            self.free -= 1;
            self.free_slow -= usize::from(job.is_slow);
            self.working.insert(id, job);
            // Who gave up gives the turn back when they are dropped.
            let _ = call.send(());
        }
    }

    fn next(&self) -> Option<usize> {
        let last = |holder: &Holder| self.served.get(holder).copied().unwrap_or(0);
        let order = |waiting: &Waiting| {
            let lasts: Vec<u64> = waiting.job.holders.iter().map(last).collect();
            (lasts, waiting.id)
        };
        let open = |waiting: &Waiting| !waiting.job.is_slow || self.free_slow > 0;
        let mut open = (0..self.waiting.len()).filter(|at| open(&self.waiting[*at]));
        let first = open.next()?;
        Some(open.fold(first, |best, at| {
            if order(&self.waiting[at]) < order(&self.waiting[best]) {
                at
            } else {
                best
            }
        }))
    }

    fn leave(&mut self, id: u64) {
        if let Some(job) = self.working.remove(&id) {
            self.free += 1;
            self.free_slow += usize::from(job.is_slow);
        } else {
            self.waiting.retain(|waiting| waiting.id != id);
        }
        self.call_next();
        // Who neither waits nor works is forgotten.
        let (waiting, working) = (&self.waiting, &self.working);
        let jobs = || {
            waiting
                .iter()
                .map(|waiting| &waiting.job)
                .chain(working.values())
        };
        self.served
            .retain(|holder, _| jobs().any(|job| job.holders.contains(holder)));
    }
}

/// A turn, until it is dropped.
pub struct Turn {
    turns: Arc<Turns>,
    id: u64,
    _place: Share,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.lock().leave(self.id);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, future::BoxFuture};
    use uuid::Uuid;

    use super::*;

    type Asked = (&'static str, BoxFuture<'static, Option<Turn>>);

    fn ask(turns: &Arc<Turns>, name: &'static str, holders: &[Holder], is_slow: bool) -> Asked {
        let (turns, holders) = (turns.clone(), holders.to_vec());
        let mut asked = async move { turns.take(&holders, is_slow).await }.boxed();
        // The first look puts it into the queue.
        match asked.as_mut().now_or_never() {
            Some(done) => (name, std::future::ready(done).boxed()),
            None => (name, asked),
        }
    }

    /// Lets everyone work one after the other who has asked: their names, in the order of their turns.
    fn run(mut asked: Vec<Asked>) -> Vec<&'static str> {
        let mut order = Vec::new();
        while !asked.is_empty() {
            let done = asked.iter_mut().position(|(_, turn)| {
                // A turn that has come is held until the next look.
                matches!(turn.as_mut().now_or_never(), Some(Some(_)))
            });
            let done = done.expect("somebody's turn has come");
            order.push(asked.remove(done).0);
        }
        order
    }

    fn site() -> Holder {
        Holder::Site(Uuid::new_v4())
    }

    fn phone() -> Holder {
        Holder::Device(Uuid::new_v4())
    }

    #[tokio::test]
    async fn who_floods_waits_behind_their_own() {
        let turns = Turns::of(1, 100);
        let (loud, quiet) = (site(), site());
        let (loud_phone, other_phone, quiet_phone) = (phone(), phone(), phone());
        let mut asked = Vec::new();
        for _ in 0..5 {
            asked.push(ask(&turns, "loud", &[loud, loud_phone], false));
        }
        asked.push(ask(&turns, "other", &[loud, other_phone], false));
        for _ in 0..2 {
            asked.push(ask(&turns, "quiet", &[quiet, quiet_phone], false));
        }
        let order = run(asked);
        assert_eq!(
            order,
            [
                "loud", "quiet", "other", "quiet", "loud", "loud", "loud", "loud"
            ]
        );
        assert!(turns.lock().served.is_empty());
        assert_eq!(turns.lock().free, 1);
    }

    #[tokio::test]
    async fn nobody_has_all_places_and_who_gives_up_leaves_theirs() {
        let turns = Turns::of(2, 14);
        let (loud, quiet) = (site(), site());
        let mut asked: Vec<Asked> = (0..8)
            .map(|_| ask(&turns, "loud", &[loud], false))
            .collect();
        let (_, ninth) = ask(&turns, "loud", &[loud], false);
        assert!(
            ninth.now_or_never().unwrap().is_none(),
            "half of all places"
        );
        asked.push(ask(&turns, "quiet", &[quiet], false));
        // Gives up while it waits, and one that was called and never looked.
        drop(asked.remove(5));
        drop(asked.remove(0));
        assert_eq!(run(asked).len(), 7);
        assert_eq!((turns.lock().free, turns.places.left()), (2, 16));
    }

    #[tokio::test]
    async fn what_takes_long_leaves_workers_to_the_rest() {
        let turns = Turns::of(2, 100);
        let slow: Vec<Asked> = (0..3)
            .map(|_| ask(&turns, "slow", &[site()], true))
            .collect();
        let quick = ask(&turns, "quick", &[site()], false);
        assert!(
            quick.1.now_or_never().unwrap().is_some(),
            "one worker is left"
        );
        assert_eq!(run(slow).len(), 3);
    }
}
