//! Links that set a password, once: the owner's at the first start, a new account's, one that was forgotten.

use chrono::TimeDelta;
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, entity::prelude::*,
    sea_query::Expr,
};

use super::model::AccountError;
use crate::{
    audit::{Action, Entry, INSTALLATION},
    platform::{
        clock::Moment,
        db,
        keys::Keyring,
        secret::{self, Secret},
    },
};

/// How long a link is good for.
pub const LIFE: TimeDelta = TimeDelta::days(3);

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "account_links")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub token_hash: Vec<u8>,
        /// None: the first account, which is not there yet.
        pub account_id: Option<Uuid>,
        pub expires_at: DateTimeUtc,
        pub used_at: Option<DateTimeUtc>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Offers a link, in the place of any that its account was offered before. The token is shown this once.
///
/// # Errors
/// When the database fails.
pub async fn offer(
    db: &DatabaseConnection,
    keys: &Keyring,
    account_id: Option<Uuid>,
    now: Moment,
) -> Result<Secret, DbErr> {
    let token = Secret::generate("al_");
    let transaction = db::begin(db).await?;
    if let Some(id) = account_id {
        row::Entity::delete_many()
            .filter(row::Column::AccountId.eq(id))
            .exec(&transaction)
            .await?;
    }
    row::Entity::insert(row::ActiveModel {
        token_hash: Set(token.hash()),
        account_id: Set(account_id),
        expires_at: Set(now + LIFE),
        used_at: Set(None),
    })
    .exec_without_returning(&transaction)
    .await?;
    let whose = account_id.map_or("the first account".to_owned(), |id| format!("account {id}"));
    Entry::new(INSTALLATION, Action::AccountLinkOffered)
        .detail(whose)
        .record(&transaction, keys, now)
        .await?;
    transaction.commit().await?;
    Ok(token)
}

/// Whose password a link sets, while it is good; `None` for the first account's.
pub(super) async fn whose(
    db: &impl ConnectionTrait,
    token: &str,
    now: Moment,
) -> Result<Option<Uuid>, AccountError> {
    row::Entity::find_by_id(secret::hash(token))
        .filter(row::Column::UsedAt.is_null())
        .filter(row::Column::ExpiresAt.gt(now))
        .one(db)
        .await?
        .map(|link| link.account_id)
        .ok_or(AccountError::LinkInvalid)
}

/// Uses a link up; of two at once one succeeds.
pub(super) async fn spend(
    db: &impl ConnectionTrait,
    token: &str,
    now: Moment,
) -> Result<(), AccountError> {
    let spent = row::Entity::update_many()
        .col_expr(row::Column::UsedAt, Expr::value(Some(now)))
        .filter(row::Column::TokenHash.eq(secret::hash(token)))
        .filter(row::Column::UsedAt.is_null())
        .filter(row::Column::ExpiresAt.gt(now))
        .exec(db)
        .await?;
    if spent.rows_affected == 1 {
        Ok(())
    } else {
        Err(AccountError::LinkInvalid)
    }
}

/// Forgets links that are too old.
///
/// # Errors
/// When the database fails.
pub async fn forget(db: &DatabaseConnection, now: Moment) -> Result<(), DbErr> {
    row::Entity::delete_many()
        .filter(row::Column::ExpiresAt.lte(now))
        .exec(db)
        .await?;
    Ok(())
}
