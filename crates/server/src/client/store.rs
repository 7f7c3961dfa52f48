//! Clients in the database, always of one site.

use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait, QuerySelect,
    entity::prelude::*,
    sea_query::{CaseStatement, Expr, ExprTrait, OnConflict},
};

use super::{
    import::{Imported, Person},
    model::{ActiveModel, Client, ClientError, Column, Email, Entity, FullName},
};
use crate::{
    audit::{Action, Entry},
    platform::{
        clock::{Moment, SKEW, seconds},
        config::Lock,
        db,
        state::State,
    },
    site::Site,
    webhook::{Message, Topic},
};

/// Makes a person known to the site.
///
/// # Errors
/// [`ClientError::EmailTaken`] when the site knows the address already.
pub async fn create(
    state: &State,
    site: &Site,
    email: &Email,
    full_name: &FullName,
    now: Moment,
) -> Result<Uuid, ClientError> {
    let (id, row) = row(site, email, full_name, now);
    let transaction = db::begin(&state.db).await?;
    let insert = Entity::insert(row);
    match insert.exec_without_returning(&transaction).await {
        Err(error) if db::is_duplicate(&error) => {
            transaction.rollback().await?;
            let other = find_by_email(&state.db, site, email).await?;
            return Err(ClientError::EmailTaken(other.id));
        }
        other => other?,
    };
    record_created(&transaction, state, site, id, now).await?;
    transaction.commit().await?;
    Ok(id)
}

/// How many people are made known in one transaction, which holds the site's log for so long.
const AT_ONCE: usize = 50;

/// Makes people known whom the site does not know yet. What is done when the database fails in the middle stays, and
/// the same again does the rest.
///
/// # Errors
/// When the database fails.
pub async fn create_all(
    state: &State,
    site: &Site,
    people: &[Person],
    now: Moment,
) -> Result<Imported, DbErr> {
    let mut imported = Imported::default();
    for people in people.chunks(AT_ONCE) {
        let transaction = db::begin(&state.db).await?;
        for person in people {
            let (id, row) = row(site, &person.email, &person.full_name, now);
            let mut known = OnConflict::columns([Column::SiteId, Column::EmailKey]);
            let insert = Entity::insert(row).on_conflict(known.do_nothing().to_owned());
            if insert.exec_without_returning(&transaction).await? == 0 {
                imported.known += 1;
                continue;
            }
            imported.made += 1;
            record_created(&transaction, state, site, id, now).await?;
        }
        transaction.commit().await?;
    }
    Ok(imported)
}

async fn record_created(
    transaction: &DatabaseTransaction,
    state: &State,
    site: &Site,
    id: Uuid,
    now: Moment,
) -> Result<(), DbErr> {
    Entry::new(site.id, Action::ClientCreated)
        .client(id)
        .record(transaction, &state.keys, now)
        .await
}

/// A new client's id, and the row that has it.
fn row(site: &Site, email: &Email, full_name: &FullName, now: Moment) -> (Uuid, ActiveModel) {
    let id = Uuid::new_v4();
    let row = ActiveModel {
        id: Set(id),
        site_id: Set(site.id),
        email: Set(email.as_str().to_owned()),
        email_key: Set(email.key()),
        full_name: Set(full_name.as_str().to_owned()),
        name_key: Set(full_name.key()),
        failures: Set(0),
        locked_until: Set(None),
        locked_permanently: Set(false),
        created_at: Set(now),
    };
    (id, row)
}

/// A client by id.
///
/// # Errors
/// [`ClientError::NotFound`], also for another site's client.
pub async fn find(db: &impl ConnectionTrait, site: &Site, id: Uuid) -> Result<Client, ClientError> {
    Entity::find_by_id(id)
        .filter(Column::SiteId.eq(site.id))
        .one(db)
        .await?
        .ok_or(ClientError::NotFound)
}

/// A client by address.
///
/// # Errors
/// [`ClientError::NotFound`], also for another site's client.
pub async fn find_by_email(
    db: &DatabaseConnection,
    site: &Site,
    email: &Email,
) -> Result<Client, ClientError> {
    Entity::find()
        .filter(Column::SiteId.eq(site.id))
        .filter(Column::EmailKey.eq(email.key()))
        .one(db)
        .await?
        .ok_or(ClientError::NotFound)
}

/// Has a client known by another address; nobody else of the site may have it.
///
/// # Errors
/// When the database fails.
pub async fn set_email(
    transaction: &DatabaseTransaction,
    site_id: Uuid,
    id: Uuid,
    email: &Email,
) -> Result<(), DbErr> {
    Entity::update_many()
        .set(ActiveModel {
            email: Set(email.as_str().to_owned()),
            email_key: Set(email.key()),
            ..Default::default()
        })
        .filter(Column::SiteId.eq(site_id))
        .filter(Column::Id.eq(id))
        .exec(transaction)
        .await?;
    Ok(())
}

/// Those of these clients whom the site knows.
///
/// # Errors
/// When the database fails.
pub async fn find_all(
    db: &impl ConnectionTrait,
    site: &Site,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<Client>, DbErr> {
    Entity::find()
        .filter(Column::SiteId.eq(site.id))
        .filter(Column::Id.is_in(ids))
        .all(db)
        .await
}

/// Counts a failure and locks where the rules say so, in one statement; a lock is recorded.
///
/// # Errors
/// When the database fails.
pub async fn record_failure(
    transaction: &DatabaseTransaction,
    state: &State,
    site_id: Uuid,
    client_id: Uuid,
    now: Moment,
) -> Result<(), DbErr> {
    let rules = &state.settings.lock;
    let counted = || Expr::col(Column::Failures).add(1);
    let locked_until = CaseStatement::new()
        .case(
            counted().gte(rules.temporary_after),
            now + seconds(rules.temporary_for),
        )
        .finally(Expr::col(Column::LockedUntil));
    let locked_permanently = CaseStatement::new()
        .case(counted().gte(rules.permanent_after), true)
        .finally(Expr::col(Column::LockedPermanently));
    Entity::update_many()
        .col_expr(Column::Failures, counted())
        .col_expr(Column::LockedUntil, locked_until.into())
        .col_expr(Column::LockedPermanently, locked_permanently.into())
        .filter(Column::Id.eq(client_id))
        .filter(Column::SiteId.eq(site_id))
        .exec(transaction)
        .await?;
    let client = Entity::find_by_id(client_id)
        .filter(Column::SiteId.eq(site_id))
        .one(transaction)
        .await?;
    let locked = client.and_then(|client| Some((client.pass(now).err()?, client)));
    if let Some((lock, client)) = locked {
        let until = client.locked_until.filter(|_| !client.locked_permanently);
        Message::new(site_id, Topic::ClientLocked, client_id)
            .locked(until)
            .enqueue(transaction, now)
            .await?;
        Entry::new(site_id, Action::ClientLocked)
            .client(client_id)
            .detail(lock.to_string())
            .record(transaction, &state.keys, now)
            .await?;
    }
    Ok(())
}

/// Whether the client is locked out.
///
/// # Errors
/// When the database fails.
pub async fn is_locked(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    client_id: Uuid,
    now: Moment,
) -> Result<bool, DbErr> {
    let client = Entity::find_by_id(client_id)
        .filter(Column::SiteId.eq(site_id))
        .one(db)
        .await?;
    Ok(client.is_some_and(|client| client.pass(now).is_err()))
}

/// Reads a client and holds them until the transaction ends, so that what is decided about them is
/// decided one after another. (SQLite's transactions are, by themselves.)
///
/// # Errors
/// [`ClientError::NotFound`], also for another site's client.
pub async fn hold(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    client_id: Uuid,
) -> Result<Client, ClientError> {
    Entity::find_by_id(client_id)
        .filter(Column::SiteId.eq(site_id))
        .lock_exclusive()
        .one(db)
        .await?
        .ok_or(ClientError::NotFound)
}

/// Lets a locked client in again and starts counting anew.
///
/// # Errors
/// [`ClientError::NotFound`], also for another site's client.
pub(super) async fn unlock(
    state: &State,
    site: &Site,
    id: Uuid,
    now: Moment,
) -> Result<(), ClientError> {
    let transaction = db::begin(&state.db).await?;
    hold(&transaction, site.id, id).await?;
    Entity::update_many()
        .set(ActiveModel {
            failures: Set(0),
            locked_until: Set(None),
            locked_permanently: Set(false),
            ..Default::default()
        })
        .filter(Column::Id.eq(id))
        .filter(Column::SiteId.eq(site.id))
        .exec(&transaction)
        .await?;
    Entry::new(site.id, Action::ClientUnlocked)
        .client(id)
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// Erases a client, of whom nothing may be left that names them.
///
/// # Errors
/// When the database fails.
pub async fn erase(db: &impl ConnectionTrait, site_id: Uuid, id: Uuid) -> Result<(), DbErr> {
    Entity::delete_by_id(id)
        .filter(Column::SiteId.eq(site_id))
        .exec(db)
        .await?;
    Ok(())
}

/// Starts counting anew after a success.
///
/// # Errors
/// When the database fails.
pub async fn forgive_failures(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    client_id: Uuid,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Failures, Expr::value(0))
        .col_expr(Column::LockedUntil, Expr::value(None::<Moment>))
        .filter(Column::Id.eq(client_id))
        .filter(Column::SiteId.eq(site_id))
        .filter(Column::Failures.gt(0))
        .exec(db)
        .await?;
    Ok(())
}

/// Shortens locks that end later than any lock set now would: a clock that has been set back since
/// set them.
///
/// # Errors
/// When the database fails.
pub async fn bound_locks(
    db: &impl ConnectionTrait,
    rules: &Lock,
    now: Moment,
) -> Result<(), DbErr> {
    let longest = now + seconds(rules.temporary_for);
    Entity::update_many()
        .col_expr(Column::LockedUntil, Expr::value(Some(longest)))
        .filter(Column::LockedUntil.gt(longest + SKEW))
        .exec(db)
        .await?;
    Ok(())
}
