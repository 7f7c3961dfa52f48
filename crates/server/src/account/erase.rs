//! Erasing an account: what is its own goes, and what was done by it stays in the log, by its id alone.

use super::{
    face, flow, membership,
    model::{self, Account, AccountError},
    store, wish,
};
use crate::{
    audit::{Action, Entry, INSTALLATION},
    erasure::Means,
    platform::{db, state::State},
    session,
};

/// Erases the account of whoever knows its password.
///
/// # Errors
/// [`AccountError::WrongPassword`]; and where somebody must be left: [`AccountError::OwnsAlone`],
/// [`AccountError::LastAdministrator`].
pub async fn erase_own(
    state: &State,
    account: &Account,
    present: &str,
) -> Result<(), AccountError> {
    flow::prove(state, account, present).await?;
    erase(&Means::of(state), account, "by itself").await
}

/// Erases an account, for whoever runs the installation.
///
/// # Errors
/// The same, but for the password.
pub async fn erase_by_operator(means: &Means<'_>, account: &Account) -> Result<(), AccountError> {
    erase(means, account, "by the operator").await
}

async fn erase(means: &Means<'_>, account: &Account, how: &str) -> Result<(), AccountError> {
    // Asked before its face goes, which cannot be given back; and again below, where nobody can change it meanwhile.
    let alone = membership::owned_alone(means.db, account.id).await?;
    if !alone.is_empty() {
        return Err(AccountError::OwnsAlone(
            alone.into_iter().map(|site| site.name).collect(),
        ));
    }
    if account.is_administrator {
        let transaction = db::begin(means.db).await?;
        let may_go = store::has_another_administrator(&transaction, account.id).await?;
        transaction.rollback().await?;
        if !may_go {
            return Err(AccountError::LastAdministrator);
        }
    }
    face::erase_linked(means, account.id).await?;
    let (keys, now) = (means.keys, means.now);
    let transaction = db::begin(means.db).await?;
    if account.is_administrator
        && !store::has_another_administrator(&transaction, account.id).await?
    {
        return Err(AccountError::LastAdministrator);
    }
    let alone = membership::take_all(&transaction, keys, account, now).await?;
    if !alone.is_empty() {
        return Err(AccountError::OwnsAlone(alone));
    }
    wish::forget(&transaction, keys, account).await?;
    session::end_all(&transaction, account.id, None).await?;
    if !store::erase(&transaction, account.id).await? {
        return Err(AccountError::NotFound);
    }
    Entry::new(INSTALLATION, Action::AccountErased)
        .detail(format!("account {}, {how}", account.id))
        .record(&transaction, keys, now)
        .await?;
    transaction.commit().await?;
    // Whoever it was linked to before is a client of the dashboard's still, by its address.
    face::erase_strays(means, &model::email(&account.email)?).await
}
