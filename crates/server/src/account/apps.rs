//! Adding an app: the site and its owner come together, or not at all.

use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QuerySelect};

use super::{
    membership::{self, By},
    model::{self, Account, AccountError, Role},
};
use crate::{
    platform::{db, state::State},
    site::{self, NewSite},
};

/// What became of a form that adds an app.
pub enum Added {
    /// It is there, and this is the one time that its secret key is known.
    New(Box<NewSite>),
    /// The form was sent before.
    There,
    /// The account owns as many as it may.
    TooMany,
}

/// Whether an account owns as many apps as it may: they share what a server has.
///
/// # Errors
/// When the database fails.
pub async fn owns_enough(
    db: &impl ConnectionTrait,
    state: &State,
    account: &Account,
) -> Result<bool, DbErr> {
    if account.is_administrator {
        return Ok(false);
    }
    let most = state.settings.limits.apps_per_account;
    Ok(membership::count_owned(db, account.id).await? >= u64::from(most))
}

/// Adds an app, which this account owns.
///
/// # Errors
/// When the database fails.
pub async fn add_app(
    state: &State,
    account: &Account,
    new: NewSite,
) -> Result<Added, AccountError> {
    let (keys, now) = (&state.keys, state.now());
    let transaction = db::begin(&state.db).await?;
    // Forms of one account that are sent at once are counted one after the other.
    let held = model::Entity::find_by_id(account.id).lock_exclusive();
    held.one(&transaction).await?;
    if owns_enough(&transaction, state, account).await? {
        return Ok(Added::TooMany);
    }
    let Some(new) = site::create_in(&transaction, keys, new, now).await? else {
        return Ok(Added::There);
    };
    let at = (account.id, new.site.id);
    let role = (Role::Owner, By::account(account));
    membership::give(&transaction, keys, at, role, now).await?;
    transaction.commit().await?;
    Ok(Added::New(Box::new(new)))
}
