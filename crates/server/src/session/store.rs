//! Sessions in the database, as `tower-sessions` asks for them.
//!
//! What the cookie holds is a secret of 128 random bits: the database keeps its hash, so that who
//! reads a backup signs in as nobody. Lives are counted by the program's clock, not by the records'.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use sea_orm::{ActiveValue::Set, DatabaseConnection, DbErr, EntityTrait, entity::prelude::*};
use tower_sessions::{
    SessionStore,
    cookie::time::OffsetDateTime,
    session::{Id, Record},
    session_store::{Error, Result},
};

use super::model::{ActiveModel, Column, Entity, Life, SignedIn};
use crate::platform::{
    clock::{Clock, Moment, SKEW},
    config, db, secret,
    state::State,
};

tokio::task_local! {
    /// Set while no person's use is served.
    static WATCHED: ();
}

/// Does something in a session without making it last longer.
pub async fn watching<T>(work: impl Future<Output = T>) -> T {
    WATCHED.scope((), work).await
}

/// Sessions kept in the database, where every server finds them.
#[derive(Clone)]
pub struct Sessions {
    db: DatabaseConnection,
    clock: Arc<dyn Clock>,
    life: Life,
}

impl Sessions {
    /// Sessions in this program's database.
    #[must_use]
    pub fn new(state: &State) -> Self {
        Self {
            db: state.db.clone(),
            clock: state.clock.clone(),
            life: Life::new(&state.settings.session),
        }
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("life", &self.life)
            .finish_non_exhaustive()
    }
}

pub(super) fn hash(id: Id) -> Vec<u8> {
    secret::hash(&id.to_string())
}

/// Whose session it is.
fn account(record: &Record) -> Option<Uuid> {
    let remembered = record.data.get(SignedIn::NAME)?;
    let signed_in: SignedIn = serde_json::from_value(remembered.clone()).ok()?;
    Some(signed_in.account_id)
}

fn encode(record: &Record) -> Result<String> {
    serde_json::to_string(&record.data).map_err(|error| Error::Encode(error.to_string()))
}

#[allow(clippy::needless_pass_by_value, reason = "what map_err calls")]
fn failed(error: DbErr) -> Error {
    Error::Backend(error.to_string())
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let (data, now) = (encode(record)?, self.clock.now());
        loop {
            let row = ActiveModel {
                id: Set(hash(record.id)),
                data: Set(data.clone()),
                created_at: Set(now),
                expires_at: Set(self.life.end(now, now)),
                account_id: Set(account(record)),
            };
            match Entity::insert(row).exec_without_returning(&self.db).await {
                Err(error) if db::is_duplicate(&error) => record.id = Id::default(),
                outcome => return outcome.map(|_| ()).map_err(failed),
            }
        }
    }

    /// Changes what is remembered. A session that was ended meanwhile stays ended.
    async fn save(&self, record: &Record) -> Result<()> {
        Entity::update_many()
            .col_expr(Column::Data, Expr::value(encode(record)?))
            .col_expr(Column::AccountId, Expr::value(account(record)))
            .filter(Column::Id.eq(hash(record.id)))
            .filter(Column::ExpiresAt.gt(self.clock.now()))
            .exec(&self.db)
            .await
            .map(|_| ())
            .map_err(failed)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let now = self.clock.now();
        let found = Entity::find_by_id(hash(*id))
            .filter(Column::ExpiresAt.gt(now))
            .one(&self.db)
            .await
            .map_err(failed)?;
        let Some(row) = found else { return Ok(None) };
        let end = self.life.end(row.created_at, now);
        let is_used = WATCHED.try_with(|()| ()).is_err();
        if is_used && self.life.is_worth_moving(row.expires_at, end) {
            Entity::update_many()
                .col_expr(Column::ExpiresAt, Expr::value(end))
                .filter(Column::Id.eq(row.id))
                .exec(&self.db)
                .await
                .map_err(failed)?;
        }
        let data =
            serde_json::from_str(&row.data).map_err(|error| Error::Decode(error.to_string()))?;
        let expiry_date = OffsetDateTime::from_unix_timestamp(end.timestamp())
            .map_err(|error| Error::Decode(error.to_string()))?;
        Ok(Some(Record {
            id: *id,
            data,
            expiry_date,
        }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        Entity::delete_by_id(hash(*id))
            .exec(&self.db)
            .await
            .map(|_| ())
            .map_err(failed)
    }
}

/// Forgets sessions that are over.
///
/// # Errors
/// When the database fails.
pub async fn forget(db: &DatabaseConnection, now: Moment) -> std::result::Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::ExpiresAt.lte(now))
        .exec(db)
        .await?;
    Ok(())
}

/// Ends sessions no later than they could end if they began now, after the clock was ahead when they did.
///
/// # Errors
/// When the database fails.
pub async fn bound_lives(
    db: &DatabaseConnection,
    settings: &config::Session,
    now: Moment,
) -> std::result::Result<(), DbErr> {
    let latest = Life::new(settings).end(now, now);
    Entity::update_many()
        .col_expr(Column::CreatedAt, Expr::value(now))
        .filter(Column::CreatedAt.gt(now + SKEW))
        .exec(db)
        .await?;
    Entity::update_many()
        .col_expr(Column::ExpiresAt, Expr::value(latest))
        .filter(Column::ExpiresAt.gt(latest + SKEW))
        .exec(db)
        .await?;
    Ok(())
}
