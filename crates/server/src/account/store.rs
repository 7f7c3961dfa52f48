//! Accounts in the database.

use std::collections::HashMap;

use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait,
    QueryOrder, QuerySelect, entity::prelude::*,
};

use super::model::{self, Account, AccountError, ActiveModel, Column, Entity};
use crate::{
    audit::{Action, Actor, Entry, INSTALLATION},
    client::Email,
    platform::{clock::Moment, db, keys::Keyring},
};

/// An account by its id, which a session or a link named.
///
/// # Errors
/// When the database fails.
pub async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Account>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// An account by its address.
///
/// # Errors
/// When the database fails.
pub async fn find_by_email(
    db: &impl ConnectionTrait,
    email: &Email,
) -> Result<Option<Account>, DbErr> {
    Entity::find()
        .filter(Column::EmailKey.eq(email.key()))
        .one(db)
        .await
}

/// The addresses of the accounts among those who did something, by what the audit log calls them.
///
/// # Errors
/// When the database fails.
pub async fn names_of_actors<'a>(
    db: &impl ConnectionTrait,
    actors: impl IntoIterator<Item = &'a str>,
) -> Result<HashMap<String, String>, DbErr> {
    let id = |actor: &str| actor.strip_prefix("account ")?.parse().ok();
    let ids: Vec<Uuid> = actors.into_iter().filter_map(id).collect();
    let accounts = Entity::find().filter(Column::Id.is_in(ids)).all(db).await?;
    let name = |account: Account| (Actor::Account(account.id).to_string(), account.email);
    Ok(accounts.into_iter().map(name).collect())
}

/// Every account, the oldest first. For the operator's command line.
///
/// # Errors
/// When the database fails.
pub async fn all(db: &DatabaseConnection) -> Result<Vec<Account>, DbErr> {
    Entity::find().order_by_asc(Column::CreatedAt).all(db).await
}

/// Whether there is any account: until then the installation waits for its owner.
///
/// # Errors
/// When the database fails.
pub async fn any(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    Ok(count(db).await? > 0)
}

pub(super) async fn count(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    Entity::find().count(db).await
}

/// Makes an account without a password: a link lets it have one.
///
/// # Errors
/// [`AccountError::EmailTaken`] where there is one already.
pub async fn create(
    db: &DatabaseConnection,
    keys: &Keyring,
    email: &str,
    is_administrator: bool,
    now: Moment,
) -> Result<Account, AccountError> {
    let email = model::email(email)?;
    let transaction = db::begin(db).await?;
    let account = insert(&transaction, (&email, None), is_administrator, now).await?;
    record_created(&transaction, keys, &account, now).await?;
    transaction.commit().await?;
    Ok(account)
}

pub(super) async fn record_created(
    transaction: &DatabaseTransaction,
    keys: &Keyring,
    account: &Account,
    now: Moment,
) -> Result<(), DbErr> {
    let kind = if account.is_administrator {
        "administrator"
    } else {
        "account"
    };
    Entry::new(INSTALLATION, Action::AccountCreated)
        .detail(format!("{kind} {}", account.id))
        .record(transaction, keys, now)
        .await
}

pub(super) async fn insert(
    transaction: &DatabaseTransaction,
    (email, password): (&Email, Option<String>),
    is_administrator: bool,
    now: Moment,
) -> Result<Account, AccountError> {
    let account = Account {
        id: Uuid::new_v4(),
        email: email.as_str().to_owned(),
        email_key: email.key(),
        password,
        is_administrator,
        created_at: now,
        email_confirmed_at: None,
    };
    let row: ActiveModel = account.clone().into();
    match Entity::insert(row)
        .exec_without_returning(transaction)
        .await
    {
        Err(error) if db::is_duplicate(&error) => Err(AccountError::EmailTaken),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(account),
    }
}

pub(super) async fn set_password(
    db: &impl ConnectionTrait,
    mut account: Account,
    hash: String,
) -> Result<Account, DbErr> {
    Entity::update_many()
        .set(ActiveModel {
            password: Set(Some(hash.clone())),
            ..Default::default()
        })
        .filter(Column::Id.eq(account.id))
        .exec(db)
        .await?;
    account.password = Some(hash);
    Ok(account)
}

/// Gives an account another address; since when its person is known to read its mail, if they are.
pub(super) async fn set_email(
    db: &impl ConnectionTrait,
    id: Uuid,
    email: &Email,
    confirmed_at: Option<Moment>,
) -> Result<(), AccountError> {
    let changed = Entity::update_many()
        .set(ActiveModel {
            email: Set(email.as_str().to_owned()),
            email_key: Set(email.key()),
            email_confirmed_at: Set(confirmed_at),
            ..Default::default()
        })
        .filter(Column::Id.eq(id))
        .exec(db)
        .await;
    match changed {
        Err(error) if db::is_duplicate(&error) => Err(AccountError::EmailTaken),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(()),
    }
}

/// Erases an account; what is its own in other tables goes with it.
pub(super) async fn erase(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    let gone = Entity::delete_by_id(id).exec(db).await?;
    Ok(gone.rows_affected == 1)
}

/// Holds the administrators to the end of the transaction. Whether there is another than this account.
pub(super) async fn has_another_administrator(
    transaction: &DatabaseTransaction,
    id: Uuid,
) -> Result<bool, DbErr> {
    let rows = Entity::find()
        .filter(Column::IsAdministrator.eq(true))
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .all(transaction)
        .await?;
    // One who has not come in yet runs nothing.
    let is_other = |row: &Account| row.id != id && row.password.is_some();
    Ok(rows.iter().any(is_other))
}

/// Notes that an account's person reads the mail of its address, unless that is known.
pub(super) async fn confirm_email(
    db: &impl ConnectionTrait,
    id: Uuid,
    now: Moment,
) -> Result<(), DbErr> {
    Entity::update_many()
        .set(ActiveModel {
            email_confirmed_at: Set(Some(now)),
            ..Default::default()
        })
        .filter(Column::Id.eq(id))
        .filter(Column::EmailConfirmedAt.is_null())
        .exec(db)
        .await?;
    Ok(())
}
