//! What a site's backend may listen to: its own events, over Redis' pub/sub, with a user of its
//! own that can do nothing else.
//!
//! | channel | messages |
//! | --- | --- |
//! | `<channel_prefix>:sign_on:<SHA-256 of the verification token, hexadecimal>` | as on `FacialSignOnLoginChannel`, with `sign_on_id` and `client_id`, without `client_session_token` |
//! | `<channel_prefix>:device:<client_id>` | as on `FacialSignOnDeviceChannel` |
//!
//! Nothing of the cable itself travels here: that is in keys, which these users cannot read.

mod event;

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use chrono::TimeDelta;
use redis::{RedisResult, aio::ConnectionManager};
use sea_orm::DbErr;
use tokio::sync::{Mutex, mpsc};
use uuid::Uuid;

use self::event::SiteEvent;
use crate::{
    platform::{
        clock::Moment,
        config,
        events::Event,
        redis::connect,
        state::{Shared, State},
    },
    site::{self, redis_acl as acl},
};

/// How often the users in Redis are compared with the database.
const EVERY: TimeDelta = TimeDelta::seconds(10);

/// SiteEvent that may wait while Redis does not answer; listeners are promised no more than pub/sub
/// gives, so what does not fit is dropped.
const QUEUE: usize = 1000;

/// The connection to Redis for what concerns sites.
pub(super) struct Backends {
    state: Weak<State>,
    connection: ConnectionManager,
    events: mpsc::Sender<SiteEvent>,
    known: Mutex<Known>,
}

/// What Redis was last seen to have.
#[derive(Default)]
struct Known {
    /// Names one life of the Redis process.
    run_id: Option<String>,
    /// Passwords' hashes, by site.
    users: HashMap<Uuid, Vec<u8>>,
    looked_at: Option<Moment>,
    /// Whether the last look failed: said once, not every second.
    complained: bool,
}

/// Why sites' backends cannot get users of their own, if they cannot: that concerns nothing else, so it
/// stops nothing.
pub async fn cannot_give_users(redis: &config::Redis) -> Option<String> {
    if redis.url.is_empty() {
        return None;
    }
    let mut connection = connect(&redis.url).ok()?;
    let error = acl::check(&mut connection).await.err()?;
    Some(format!(
        "Redis: its user may not give users to sites' backends ({error}), so `axiam site redis` does not work: \
         allow it +acl|setuser +acl|deluser and the channels &*"
    ))
}

impl Backends {
    /// Connects to Redis; `None` where the settings name none.
    pub(super) fn open(state: &Shared) -> Option<Arc<Self>> {
        let url = &state.settings.redis.url;
        if url.is_empty() {
            return None;
        }
        let connection = connect(url)
            .inspect_err(|error| tracing::error!(%error, "redis.url cannot be used"))
            .ok()?;
        let (events, queue) = mpsc::channel(QUEUE);
        tokio::spawn(publish_queued(
            Arc::downgrade(state),
            connection.clone(),
            queue,
        ));
        Some(Arc::new(Self {
            state: Arc::downgrade(state),
            connection,
            events,
            known: Mutex::default(),
        }))
    }

    /// Passes an event on to its site's backend, if that may listen.
    pub(super) fn publish(&self, event: &Event) {
        if let Some(site_event) = SiteEvent::of(event)
            && self.events.try_send(site_event).is_err()
        {
            tracing::debug!("too much waits for Redis; a site's backend misses an event");
        }
    }

    /// Makes the users in Redis those of the database, now and then and at once when Redis has
    /// started anew. Whether it has, since the last call.
    pub(super) async fn reconcile_users(&self) -> Result<bool, DbErr> {
        let Some(state) = self.state.upgrade() else {
            return Ok(false);
        };
        let mut known = self.known.lock().await;
        let mut connection = self.connection.clone();
        let run_id = match run_id(&mut connection).await {
            Ok(run_id) => run_id,
            Err(error) => {
                complain(&mut known, &error);
                return Ok(false);
            }
        };
        let anew = known.run_id.as_ref() != Some(&run_id);
        let first = known.run_id.is_none();
        let now = state.now();
        if !anew && known.looked_at.is_some_and(|at| now < at + EVERY) {
            return Ok(false);
        }
        if anew {
            known.users.clear();
        }
        let all = site::all_redis_users(&state.db).await?;
        for (user, site) in all {
            let before = known.users.get(&user.site_id);
            let gone = user.is_over(now) || !site.is_enabled();
            let done = if gone {
                acl::remove(&mut connection, &user).await
            } else {
                let changed = before.is_some_and(|hash| *hash != user.password_hash);
                acl::allow(&mut connection, &user, &site.channel_prefix, changed).await
            };
            if let Err(error) = done {
                complain(&mut known, &error);
                return Ok(false);
            }
            if user.removed_at.is_some() {
                site::forget_redis_user(&state.db, user.site_id).await?;
            }
            if gone {
                known.users.remove(&user.site_id);
            } else {
                known.users.insert(user.site_id, user.password_hash);
            }
        }
        known.run_id = Some(run_id);
        known.looked_at = Some(now);
        known.complained = false;
        Ok(anew && !first)
    }
}

fn complain(known: &mut Known, error: &redis::RedisError) {
    if !known.complained {
        tracing::warn!(%error, "sites' users in Redis cannot be looked after; trying again");
    }
    known.complained = true;
}

/// The name that a Redis process gives itself when it starts.
async fn run_id(connection: &mut ConnectionManager) -> RedisResult<String> {
    let text: String = redis::cmd("INFO")
        .arg("server")
        .query_async(connection)
        .await?;
    let line = text.lines().find_map(|line| line.strip_prefix("run_id:"));
    Ok(line.unwrap_or_default().to_owned())
}

/// Publishes events, one after another; ends with the server.
async fn publish_queued(
    state: Weak<State>,
    mut connection: ConnectionManager,
    mut queue: mpsc::Receiver<SiteEvent>,
) {
    while let Some(event) = queue.recv().await {
        let Some(state) = state.upgrade() else { break };
        match event.addressed(&state).await {
            Ok(Some((channel, text))) => {
                let published: RedisResult<()> = redis::cmd("PUBLISH")
                    .arg(channel)
                    .arg(text)
                    .query_async(&mut connection)
                    .await;
                if let Err(error) = published {
                    tracing::debug!(%error, "a site's backend misses an event");
                }
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "a site's backend misses an event"),
        }
    }
}
