//! Letting others in, and confirming addresses.

use super::{
    link,
    membership::{self, By},
    model::{self, Account, AccountError, Role},
    store,
    wish::{self, Wish},
};
use crate::{
    audit::{Action, Entry, INSTALLATION},
    limit::{self, Rule},
    platform::{config::SignUp, db, secret::Secret, state::State},
    site::Site,
};

/// How somebody learns that they were let in.
pub enum LetIn {
    /// A letter tells them.
    Letter(Account),
    /// Whoever let them in tells them: they have an account.
    Word(Account),
    /// By this link, which sets the password of their new account and is shown this once.
    Link(Account, Secret),
}

/// Lets somebody in to a site, with a role. Who runs the installation makes new accounts; owners where they may
/// invite, and then only by a letter: whoever holds a new account's link is that account, on every site where it is let
/// in later.
///
/// # Errors
/// [`AccountError::NotFound`] where there is no account, and none may be made; [`AccountError::Own`] where it is one's
/// own; [`AccountError::DashboardSite`] where it is the dashboard's own site.
pub async fn let_in(
    state: &State,
    by: &Account,
    site: &Site,
    (email, role): (&str, Role),
) -> Result<LetIn, AccountError> {
    // Owners could ask who has an account.
    limit::check(state, Rule::SignInByAccount, format!("access {}", by.id)).await?;
    if site.is_dashboard {
        return Err(AccountError::DashboardSite);
    }
    let email = model::email(email)?;
    if email.key() == by.email_key {
        return Err(AccountError::Own);
    }
    let (by_letter, now) = (state.post.is_open(), state.now());
    let may_make =
        by.is_administrator || (by_letter && state.settings.accounts.sign_up != SignUp::Closed);
    let transaction = db::begin(&state.db).await?;
    let found = store::find_by_email(&transaction, &email).await?;
    let (account, is_new) = match found {
        Some(account) => (account, false),
        None if may_make => {
            let account = store::insert(&transaction, (&email, None), false, now).await?;
            store::record_created(&transaction, &state.keys, &account, now).await?;
            (account, true)
        }
        None => return Err(AccountError::NotFound),
    };
    let change = (role, By::account(by));
    membership::give(
        &transaction,
        &state.keys,
        (account.id, site.id),
        change,
        now,
    )
    .await?;
    let let_in = if by_letter {
        let invitation = Wish::Invitation {
            account_id: account.id,
            app: site.name.clone(),
            role: role.as_str().to_owned(),
            by: by.email.clone(),
        };
        invitation.put(state, &transaction).await?;
        LetIn::Letter(account)
    } else if is_new {
        let token = link::offer_within(&transaction, &state.keys, Some(account.id), now).await?;
        LetIn::Link(account, token)
    } else {
        LetIn::Word(account)
    };
    transaction.commit().await?;
    Ok(let_in)
}

/// Has a letter written by which an account confirms its address.
///
/// # Errors
/// [`AccountError::Limited`] beyond the limits.
pub async fn ask_to_confirm(state: &State, account: &Account) -> Result<(), AccountError> {
    let account_id = account.id;
    wish::send(state, &Wish::Confirmation { account_id }).await
}

/// Confirms the address of the account that a link names.
///
/// # Errors
/// [`AccountError::LinkInvalid`] where the link was used, or is too old.
pub async fn confirm(state: &State, token: &str) -> Result<(), AccountError> {
    let now = state.now();
    let id = link::to_address(&state.db, token, now).await?;
    let transaction = db::begin(&state.db).await?;
    link::spend(&transaction, token, now).await?;
    store::confirm_email(&transaction, id, now).await?;
    Entry::new(INSTALLATION, Action::AddressConfirmed)
        .detail(format!("account {id}"))
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    Ok(())
}
