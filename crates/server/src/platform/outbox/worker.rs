//! Whoever carries parcels.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::TimeDelta;
use metrics::counter;
use sea_orm::{DatabaseTransaction, DbErr};
use tokio::{sync::Notify, task::JoinSet};
use uuid::Uuid;

use super::{
    pace::Pace,
    row::{Model as Parcel, Stage},
    store::{self, NO_SITE, Taken, Wanted},
};
use crate::platform::{
    db,
    events::Events,
    state::{Shared, State},
};

/// Parcels that one server carries at a time.
const MOST: usize = 64;

/// How many of these to one target at most are taken at once, and under way when no more are taken: whoever does
/// not answer holds up no other.
const TO_EACH: usize = 4;

/// The same for all targets of one site: many that do not answer hold up no other site.
const OF_EACH: usize = 16;

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The other side has it.
    Delivered(String),
    /// Not this time; no sooner than after this wait, if one is given.
    Later(String, Option<TimeDelta>),
    /// Never.
    Refused(String),
}

/// Carries parcels of one kind.
#[async_trait]
pub trait Courier: Send + Sync {
    /// The kind of its parcels.
    fn kind(&self) -> &'static str;

    /// How long it waits from attempt to attempt.
    fn pace(&self) -> Pace;

    /// Longer than an attempt can last. Until then nobody else tries, so that a server that dies with a parcel holds it up
    /// for this long.
    fn longest(&self) -> TimeDelta;

    /// Makes one attempt.
    ///
    /// # Errors
    /// When the database fails; the parcel is tried again when its lease has ended.
    async fn carry(&self, state: &State, parcel: &Parcel) -> Result<Fate, DbErr>;

    /// Is told of parcels of its kind whose time was over before they were delivered, in the transaction that gives them
    /// up: for those who keep account of them elsewhere, too.
    ///
    /// # Errors
    /// When the database fails.
    async fn give_up(&self, _: &DatabaseTransaction, _: &[Parcel]) -> Result<(), DbErr> {
        Ok(())
    }
}

/// Takes parcels that are due and has them carried.
pub struct Outbox {
    couriers: Vec<Box<dyn Courier>>,
    /// How many parcels are under way to each target, and of each site.
    under_way: Mutex<UnderWay>,
    wake: Arc<Notify>,
}

impl Outbox {
    /// Looks again at once when something happens on this server.
    #[must_use]
    pub fn open(couriers: Vec<Box<dyn Courier>>, events: &Events) -> Arc<Self> {
        let wake = Arc::new(Notify::new());
        events.listen({
            let wake = wake.clone();
            move |_| wake.notify_one()
        });
        Arc::new(Self {
            couriers,
            under_way: Mutex::default(),
            wake,
        })
    }

    /// Carries parcels for as long as it is let.
    pub async fn work(self: Arc<Self>, state: Shared) {
        let mut every = tokio::time::interval(Duration::from_secs(1));
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut carried = JoinSet::new();
        loop {
            tokio::select! {
                _ = every.tick() => {}
                () = self.wake.notified() => {}
                Some(_) = carried.join_next() => {}
            }
            let room = MOST.saturating_sub(carried.len());
            if room == 0 {
                continue;
            }
            match self.take(&state, room).await {
                Ok(taken) => {
                    for one in taken {
                        carried.spawn(self.clone().deliver(state.clone(), one));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "could not look into the outbox; trying again");
                }
            }
        }
    }

    /// Carries everything that is due, and returns when nothing is. For tests.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn carry_due(self: &Arc<Self>, state: &Shared) -> Result<usize, DbErr> {
        let mut sum = 0;
        loop {
            let taken = self.take(state, MOST).await?;
            if taken.is_empty() {
                return Ok(sum);
            }
            sum += taken.len();
            let mut carried = JoinSet::new();
            for one in taken {
                carried.spawn(self.clone().deliver(state.clone(), one));
            }
            carried.join_all().await;
        }
    }

    /// Gives up what nobody took in time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expire(&self, state: &State) -> Result<(), DbErr> {
        while store::has_overdue(&state.db, state.now()).await? {
            let transaction = db::begin(&state.db).await?;
            let over = store::expire(&transaction, state.now()).await?;
            if over.is_empty() {
                // Another server is at it.
                break;
            }
            for courier in &self.couriers {
                let kind = courier.kind();
                let own = over.iter().filter(|parcel| parcel.kind == kind);
                let own: Vec<Parcel> = own.cloned().collect();
                if !own.is_empty() {
                    courier.give_up(&transaction, &own).await?;
                }
            }
            transaction.commit().await?;
        }
        Ok(())
    }

    async fn take(&self, state: &State, room: usize) -> Result<Vec<Taken>, DbErr> {
        let wanted = Wanted {
            kinds: self
                .couriers
                .iter()
                .map(|courier| (courier.kind(), courier.longest()))
                .collect(),
            room,
            to_each: TO_EACH,
            of_each: OF_EACH,
            busy: self.under_way().busy(),
        };
        let taken = store::take(&state.db, &wanted, state.now()).await?;
        let mut under_way = self.under_way();
        for one in &taken {
            under_way.begin(&one.parcel);
        }
        Ok(taken)
    }

    fn under_way(&self) -> std::sync::MutexGuard<'_, UnderWay> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn deliver(self: Arc<Self>, state: Shared, taken: Taken) {
        let _counted = Counted(&self, &taken.parcel);
        if let Err(error) = self.attempt(&state, &taken).await {
            let id = taken.parcel.id;
            tracing::warn!(%error, %id, "a parcel could not be carried; it is again when its lease ends");
        }
    }

    async fn attempt(&self, state: &State, taken: &Taken) -> Result<(), DbErr> {
        let parcel = &taken.parcel;
        let courier = self.couriers.iter().find(|one| one.kind() == parcel.kind);
        let Some(courier) = courier else {
            return Ok(());
        };
        let fate = courier.carry(state, parcel).await?;
        let (stage, said, wait) = settle(fate, courier.pace(), parcel.attempts);
        counter!("axiam_outbox_attempts_total", "kind" => courier.kind(), "outcome" => stage.as_str()).increment(1);
        store::finish(&state.db, taken, (stage, &said), wait, state.now()).await?;
        Ok(())
    }
}

/// How many parcels are under way.
#[derive(Default)]
struct UnderWay {
    targets: HashMap<Uuid, usize>,
    sites: HashMap<Uuid, usize>,
}

fn site(parcel: &Parcel) -> Uuid {
    parcel.site_id.unwrap_or(NO_SITE)
}

impl UnderWay {
    fn begin(&mut self, parcel: &Parcel) {
        *self.targets.entry(parcel.target_id).or_default() += 1;
        *self.sites.entry(site(parcel)).or_default() += 1;
    }

    fn end(&mut self, parcel: &Parcel) {
        let counts = [
            (&mut self.targets, parcel.target_id),
            (&mut self.sites, site(parcel)),
        ];
        for (counts, id) in counts {
            let left = counts.remove(&id).unwrap_or(0).saturating_sub(1);
            if left > 0 {
                counts.insert(id, left);
            }
        }
    }

    /// Targets and sites that have as many as they may.
    fn busy(&self) -> Vec<Uuid> {
        let full = |counts: &HashMap<Uuid, usize>, most: usize| {
            let full = counts.iter().filter(move |(_, count)| **count >= most);
            full.map(|(id, _)| *id).collect::<Vec<_>>()
        };
        [full(&self.targets, TO_EACH), full(&self.sites, OF_EACH)].concat()
    }
}

/// A parcel under way; when it is dropped it is so no longer.
struct Counted<'a>(&'a Outbox, &'a Parcel);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.under_way().end(self.1);
    }
}

/// What becomes of a parcel by what came of an attempt, and the wait until the next.
fn settle(fate: Fate, pace: Pace, attempts: i32) -> (Stage, String, Option<TimeDelta>) {
    match fate {
        Fate::Delivered(said) => (Stage::Delivered, said, None),
        Fate::Refused(said) => (Stage::Dead, said, None),
        Fate::Later(said, asked) => {
            let wait = pace.wait(attempts);
            (
                Stage::Waiting,
                said,
                Some(asked.map_or(wait, |asked| asked.max(wait))),
            )
        }
    }
}
