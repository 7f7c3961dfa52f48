//! The verdicts' outbox. A verdict is committed before it is broadcast; a server that dies between
//! the two, or a Redis that takes the message with it, must not make a page wait for ever. So each
//! verdict is marked as delivered in the database when it is known to have been broadcast, and whatever is
//! not marked as delivered is broadcast again, by any server. Its key makes every page hear it once.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Instant,
};

use ::cable::{Cable, Message};
use chrono::TimeDelta;
use metrics::histogram;
use sea_orm::DbErr;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::{
    platform::state::{Shared, State},
    sign_on::{self, Undelivered},
};

/// How old a verdict is before others than the server that gave it may tell it.
const GRACE: TimeDelta = TimeDelta::seconds(2);

/// How far back verdicts are told again after Redis has started anew: longer than any server may
/// have been behind with reading.
const DOUBTFUL: TimeDelta = TimeDelta::seconds(120);

/// Most verdicts marked as delivered by one statement.
const AT_ONCE: usize = 200;

/// What this server has under way.
pub(super) struct Outbox {
    state: Weak<State>,
    cable: Cable,
    under_way: Mutex<HashSet<Uuid>>,
    arrived: mpsc::UnboundedSender<Uuid>,
}

impl Outbox {
    pub(super) fn open(state: &Shared, cable: &Cable) -> Arc<Self> {
        let (arrived, ids) = mpsc::unbounded_channel();
        let outbox = Arc::new(Self {
            state: Arc::downgrade(state),
            cable: cable.clone(),
            under_way: Mutex::default(),
            arrived,
        });
        tokio::spawn(mark_delivered(Arc::downgrade(&outbox), ids));
        outbox
    }

    /// Broadcasts a verdict, and crosses it out when it has arrived.
    pub(super) fn publish(self: &Arc<Self>, sign_on_id: Uuid, stream: &str, message: Message) {
        self.under_way().insert(sign_on_id);
        let arrives = self.cable.broadcast_acknowledged(stream, message);
        let outbox = Arc::clone(self);
        let begun = Instant::now();
        tokio::spawn(async move {
            let arrived = arrives.await;
            histogram!("axiam_verdict_told_seconds").record(begun.elapsed().as_secs_f64());
            if !arrived || outbox.arrived.send(sign_on_id).is_err() {
                outbox.under_way().remove(&sign_on_id);
            }
        });
    }

    /// Verdicts that may not have been published.
    pub(super) async fn undelivered(&self) -> Result<Vec<Undelivered>, DbErr> {
        let Some(state) = self.state.upgrade() else {
            return Ok(Vec::new());
        };
        let under_way = self.under_way().clone();
        sign_on::undelivered(&state, state.now() - GRACE, &under_way).await
    }

    /// Verdicts that were told, but perhaps to a Redis that has lost them before all had read them.
    pub(super) async fn doubtful(&self) -> Result<Vec<Undelivered>, DbErr> {
        let Some(state) = self.state.upgrade() else {
            return Ok(Vec::new());
        };
        sign_on::delivered_since(&state, state.now() - DOUBTFUL).await
    }

    /// Marks a verdict that nobody can hear.
    pub(super) fn skip(&self, sign_on_id: Uuid) {
        self.under_way().insert(sign_on_id);
        // The other end goes only with this one.
        let _ = self.arrived.send(sign_on_id);
    }

    fn under_way(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn note(&self, ids: &[Uuid]) {
        if let Some(state) = self.state.upgrade()
            && let Err(error) = sign_on::mark_delivered(&state, ids).await
        {
            tracing::warn!(%error, "verdicts could not be marked as delivered; they will be published again");
        }
        let mut under_way = self.under_way();
        for id in ids {
            under_way.remove(id);
        }
    }
}

async fn mark_delivered(outbox: Weak<Outbox>, mut ids: mpsc::UnboundedReceiver<Uuid>) {
    let mut batch = Vec::new();
    while ids.recv_many(&mut batch, AT_ONCE).await > 0 {
        let Some(outbox) = outbox.upgrade() else {
            break;
        };
        outbox.note(&batch).await;
        batch.clear();
    }
}
