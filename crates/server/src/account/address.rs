//! Another e-mail address for an account: asked for with the password, taken once a letter's link shows that its person reads
//! its mail. Whether somebody else has it is found out by whoever reads that mail alone.

use sea_orm::DatabaseTransaction;

use super::{
    face, flow, link,
    model::{self, Account, AccountError},
    store,
    wish::{self, Wish},
};
use crate::{
    audit::{Action, Entry, INSTALLATION},
    client::Email,
    erasure::Means,
    platform::{db, state::State},
};

/// Has a letter written to the address that an account is to have, and one to the present address.
///
/// # Errors
/// [`AccountError::WrongPassword`], [`AccountError::Email`], [`AccountError::SameAddress`], or
/// [`AccountError::Limited`] beyond the limits.
pub async fn ask_to_move(
    state: &State,
    account: &Account,
    (present, email): (&str, &str),
) -> Result<(), AccountError> {
    flow::prove(state, account, present).await?;
    let email = model::email(email)?;
    if email.key() == account.email_key {
        return Err(AccountError::SameAddress);
    }
    let wanted = Wish::NewAddress {
        account_id: account.id,
        email: email.as_str().to_owned(),
        proof: account.proof(),
    };
    wish::send(state, &wanted).await?;
    let transaction = db::begin(&state.db).await?;
    let what = "somebody who knows the password asked for another e-mail address";
    flow::tell(state, &transaction, account, what).await?;
    transaction.commit().await?;
    Ok(())
}

/// Gives an account the address that a link names. The address of before is told, where its mail was read.
///
/// # Errors
/// [`AccountError::LinkInvalid`]; [`AccountError::EmailTaken`] where somebody else has it by now.
pub async fn move_to(state: &State, token: &str) -> Result<(), AccountError> {
    let now = state.now();
    let (id, email) = link::to_new_address(&state.db, token, now).await?;
    let account = store::find(&state.db, id).await?;
    let account = account.ok_or(AccountError::LinkInvalid)?;
    face::erase_strays(&Means::of(state), &email).await?;
    let transaction = db::begin(&state.db).await?;
    link::spend(&transaction, token, now).await?;
    store::set_email(&transaction, id, &email, Some(now)).await?;
    if account.email_confirmed_at.is_some() {
        let told = Wish::Moved {
            account_id: id,
            from: account.email.clone(),
        };
        told.put(state, &transaction).await?;
    }
    finish(
        &transaction,
        &Means::of(state),
        (&account, &email),
        "by a link",
    )
    .await?;
    transaction.commit().await?;
    Ok(())
}

/// Gives an account another address, for whoever runs the installation. It is not confirmed.
///
/// # Errors
/// [`AccountError::Email`], [`AccountError::EmailTaken`].
pub async fn set_address(
    means: &Means<'_>,
    account: &Account,
    email: &str,
) -> Result<(), AccountError> {
    let email = model::email(email)?;
    face::erase_strays(means, &email).await?;
    let transaction = db::begin(means.db).await?;
    store::set_email(&transaction, account.id, &email, None).await?;
    finish(&transaction, means, (account, &email), "by the operator").await?;
    transaction.commit().await?;
    Ok(())
}

/// What goes with another address: the own face follows, links that were sent to the one before are worth nothing.
async fn finish(
    transaction: &DatabaseTransaction,
    means: &Means<'_>,
    (account, email): (&Account, &Email),
    how: &str,
) -> Result<(), AccountError> {
    face::follow(transaction, account.id, email).await?;
    link::withdraw(transaction, account.id).await?;
    Entry::new(INSTALLATION, Action::AddressChanged)
        .detail(format!("account {}, {how}", account.id))
        .record(transaction, means.keys, means.now)
        .await?;
    Ok(())
}
