//! The bearer tokens that sites were given. Each is known by its `jti`, so that one alone can be taken back: a token
//! that is not here is worth nothing, whoever signed it.

use sea_orm::{
    ActiveValue::Set, DatabaseConnection, DbErr, EntityTrait, IntoActiveModel, QueryOrder,
    QuerySelect, entity::prelude::*,
};

use super::{model::Site, store};
use crate::{
    audit::{Action, Entry, INSTALLATION},
    platform::{
        clock::{Moment, seconds},
        db,
        keys::{self, KeyError, Keyring, Purpose},
        network::Network,
        state::State,
    },
};

/// How often a token's use is noted, seconds: it is for operators, not worth a write a request.
const SEEN_EVERY: u32 = 60;

/// How long a key that was replaced is kept although it signed nothing that lives: a server that read its name just
/// before may still be signing.
const LATE: u32 = 3600;

/// A token as it is known here; the token itself is not kept.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "site_tokens")]
pub struct Model {
    /// The token's `jti`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The site it speaks for.
    pub site_id: Uuid,
    /// The key that signed it.
    pub key_id: Uuid,
    /// What it may be used for, as the contract has it.
    pub scope: String,
    /// When it was given out.
    pub issued_at: DateTimeUtc,
    /// When it ends by itself.
    pub expires_at: DateTimeUtc,
    /// When it was taken back alone.
    pub revoked_at: Option<DateTimeUtc>,
    /// When it was last used, to the minute.
    pub seen_at: Option<DateTimeUtc>,
    /// The network that it was last used from.
    pub seen_from: String,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as SiteToken;

impl SiteToken {
    /// Whether it is worth anything for its site.
    #[must_use]
    pub fn is_live(&self, site: &Site, now: Moment) -> bool {
        self.revoked_at.is_none()
            && self.expires_at > now
            && site.is_enabled()
            // Tokens know whole seconds.
            && self.issued_at.timestamp() >= site.tokens_not_before.timestamp()
    }
}

/// Makes a token known, and records that it was given out.
///
/// # Errors
/// When the database fails.
pub(super) async fn record_issued(state: &State, token: SiteToken) -> Result<(), DbErr> {
    let life = (token.expires_at - token.issued_at).num_seconds();
    let told = format!("{} {life} s, jti {}", token.scope, token.id);
    let site_id = token.site_id;
    let transaction = db::begin(&state.db).await?;
    Entity::insert(token.into_active_model())
        .exec_without_returning(&transaction)
        .await?;
    Entry::new(site_id, Action::TokenIssued)
        .detail(told)
        .record(&transaction, &state.keys, state.now())
        .await?;
    transaction.commit().await
}

/// The token of this `jti`, and its site.
///
/// # Errors
/// When the database fails.
pub async fn find_token(
    db: &DatabaseConnection,
    id: Uuid,
) -> Result<Option<(SiteToken, Site)>, DbErr> {
    let Some(token) = Entity::find_by_id(id).one(db).await? else {
        return Ok(None);
    };
    let site = store::find(db, token.site_id).await?;
    Ok(site.map(|site| (token, site)))
}

/// The tokens of a site that are worth something, the latest first.
///
/// # Errors
/// When the database fails.
pub async fn live_tokens(
    db: &DatabaseConnection,
    site: &Site,
    now: Moment,
) -> Result<Vec<SiteToken>, DbErr> {
    let mut tokens = Entity::find()
        .filter(Column::SiteId.eq(site.id))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .order_by_desc(Column::IssuedAt)
        .all(db)
        .await?;
    tokens.retain(|token| token.is_live(site, now));
    Ok(tokens)
}

/// Which of these tokens are still worth something.
///
/// # Errors
/// When the database fails.
pub async fn still_live(
    db: &DatabaseConnection,
    ids: &[Uuid],
    now: Moment,
) -> Result<Vec<Uuid>, DbErr> {
    let tokens = Entity::find()
        .filter(Column::Id.is_in(ids.iter().copied()))
        .all(db)
        .await?;
    let sites = store::some(db, tokens.iter().map(|token| token.site_id)).await?;
    let is_live = |token: &SiteToken| {
        let site = sites.iter().find(|site| site.id == token.site_id);
        site.is_some_and(|site| token.is_live(site, now))
    };
    let live = tokens.iter().filter(|token| is_live(token));
    Ok(live.map(|token| token.id).collect())
}

/// Notes that a token was used, unless that was noted just now.
///
/// # Errors
/// When the database fails.
pub async fn note_token_use(
    db: &DatabaseConnection,
    token: &SiteToken,
    network: Option<Network>,
    now: Moment,
) -> Result<(), DbErr> {
    if token
        .seen_at
        .is_some_and(|at| at <= now && now < at + seconds(SEEN_EVERY))
    {
        return Ok(());
    }
    Entity::update_many()
        .set(ActiveModel {
            seen_at: Set(Some(now)),
            seen_from: Set(network
                .map(|network| network.to_string())
                .unwrap_or_default()),
            ..Default::default()
        })
        .filter(Column::Id.eq(token.id))
        .exec(db)
        .await?;
    Ok(())
}

/// Takes one token back. `false` where the site has no such token that is worth something.
///
/// # Errors
/// When the database fails.
pub async fn revoke_token(
    db: &DatabaseConnection,
    keys: &Keyring,
    site: &Site,
    id: Uuid,
    now: Moment,
) -> Result<bool, DbErr> {
    let transaction = db::begin(db).await?;
    let revoked = Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::SiteId.eq(site.id))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec(&transaction)
        .await?;
    if revoked.rows_affected != 1 {
        transaction.rollback().await?;
        return Ok(false);
    }
    Entry::new(site.id, Action::TokensRevoked)
        .detail(format!("jti {id}"))
        .record(&transaction, keys, now)
        .await?;
    transaction.commit().await?;
    Ok(true)
}

/// Has a new key sign from now on. What the keys of before have signed is taken until it ends, unless it is to be
/// revoked. How many tokens were.
///
/// # Errors
/// When the master key does not fit or the database fails.
pub async fn rotate_signing(
    db: &DatabaseConnection,
    keys: &Keyring,
    purpose: Purpose,
    and_revoke: bool,
    now: Moment,
) -> Result<u64, KeyError> {
    let transaction = db::begin(db).await?;
    keys::retire(&transaction, keys, purpose, now).await?;
    let mut revoked = 0;
    let mut told = purpose.name();
    if and_revoke {
        let retired = keys::retired(&transaction, purpose).await?;
        let done = Entity::update_many()
            .col_expr(Column::RevokedAt, Expr::value(now))
            .filter(Column::KeyId.is_in(retired))
            .filter(Column::RevokedAt.is_null())
            .exec(&transaction)
            .await?;
        revoked = done.rows_affected;
        told = format!("{told}, {revoked} token(s) revoked");
    }
    Entry::new(INSTALLATION, Action::KeyReplaced)
        .detail(told)
        .record(&transaction, keys, now)
        .await?;
    transaction.commit().await?;
    Ok(revoked)
}

/// How many living tokens each key has signed.
///
/// # Errors
/// When the database fails.
pub async fn tokens_by_key(
    db: &DatabaseConnection,
    now: Moment,
) -> Result<Vec<(Uuid, u64)>, DbErr> {
    let counted: Vec<(Uuid, i64)> = Entity::find()
        .select_only()
        .column(Column::KeyId)
        .column_as(Column::Id.count(), "tokens")
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .group_by(Column::KeyId)
        .into_tuple()
        .all(db)
        .await?;
    let unsigned = |(id, count): (Uuid, i64)| (id, u64::try_from(count).unwrap_or(0));
    Ok(counted.into_iter().map(unsigned).collect())
}

/// Forgets tokens that have ended by themselves.
///
/// # Errors
/// When the database fails.
pub async fn forget_tokens(db: &DatabaseConnection, now: Moment) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::ExpiresAt.lte(now))
        .exec(db)
        .await?;
    Ok(())
}

/// Forgets keys that were replaced, once everything that they signed has ended.
///
/// # Errors
/// When the database fails.
pub async fn forget_signing_keys(db: &DatabaseConnection, now: Moment) -> Result<(), DbErr> {
    for key in keys::list(db).await? {
        let is_over = key.retired_at.is_some_and(|at| at + seconds(LATE) < now);
        if is_over && key.purpose == Purpose::SiteTokens.name() {
            let signed = Entity::find().filter(Column::KeyId.eq(key.id));
            if signed.one(db).await?.is_none() {
                keys::forget(db, key.id).await?;
            }
        }
    }
    Ok(())
}
