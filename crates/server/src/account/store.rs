//! Accounts in the database.

use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait,
    QueryOrder, entity::prelude::*,
};

use super::model::{self, Account, AccountError, ActiveModel, Column, Entity};
use crate::{
    audit::{Action, Entry, INSTALLATION},
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

/// Those of these accounts that there are.
///
/// # Errors
/// When the database fails.
pub async fn find_all(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<Account>, DbErr> {
    Entity::find().filter(Column::Id.is_in(ids)).all(db).await
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
    id: Uuid,
    hash: String,
) -> Result<(), DbErr> {
    Entity::update_many()
        .set(ActiveModel {
            password: Set(Some(hash)),
            ..Default::default()
        })
        .filter(Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(())
}
