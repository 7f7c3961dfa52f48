//! Proving who one is, and setting what one proves it by.

use super::{
    link,
    model::{self, Account, AccountError, Password},
    store,
};
use crate::{
    audit::{self, Action, Actor, Entry, INSTALLATION},
    limit::{self, Rule},
    platform::{db, network::Network, state::State},
    session,
};

/// Makes the first account, by the link that the program printed. A stranger on the network has not seen it.
///
/// # Errors
/// What is wrong with the link, the address or the password; [`AccountError::SetUpAlready`] where somebody
/// was faster.
pub async fn set_up(
    state: &State,
    token: &str,
    email: &str,
    password: &str,
) -> Result<Account, AccountError> {
    let now = state.now();
    if store::any(&state.db).await? {
        return Err(AccountError::SetUpAlready);
    }
    if link::whose(&state.db, token, now).await?.is_some() {
        return Err(AccountError::LinkInvalid);
    }
    let email = model::email(email)?;
    let chosen = Password::chosen(password, email.as_str())?;
    let hash = state.passwords.hash(chosen.secret()).await?;
    let transaction = db::begin(&state.db).await?;
    link::spend(&transaction, token, now).await?;
    let account = store::insert(&transaction, (&email, Some(hash)), true, now).await?;
    // Whoever records holds the log's head to the end: of two links at once the second sees the first's account.
    store::record_created(&transaction, &state.keys, &account, now).await?;
    if store::count(&transaction).await? > 1 {
        transaction.rollback().await?;
        return Err(AccountError::SetUpAlready);
    }
    transaction.commit().await?;
    Ok(account)
}

/// Sets the password of the account that a link names, and ends all of its sessions.
///
/// # Errors
/// What is wrong with the link or the password.
pub async fn join(state: &State, token: &str, password: &str) -> Result<Account, AccountError> {
    let now = state.now();
    let id = link::whose(&state.db, token, now).await?;
    let id = id.ok_or(AccountError::LinkInvalid)?;
    let account = store::find(&state.db, id).await?;
    let account = account.ok_or(AccountError::LinkInvalid)?;
    let chosen = Password::chosen(password, &account.email)?;
    let hash = state.passwords.hash(chosen.secret()).await?;
    let transaction = db::begin(&state.db).await?;
    link::spend(&transaction, token, now).await?;
    store::set_password(&transaction, id, hash).await?;
    session::end_all(&transaction, id, None).await?;
    Entry::new(INSTALLATION, Action::PasswordSet)
        .detail(format!("account {id}, by a link"))
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    Ok(account)
}

/// Changes the password of someone who knows the one in force; their other sessions end.
///
/// # Errors
/// [`AccountError::Refused`] where they do not know it.
pub async fn change_password(
    state: &State,
    account: &Account,
    (present, next): (&str, &str),
    but: &[u8],
) -> Result<(), AccountError> {
    limit::check(state, Rule::SignInByAccount, account.id).await?;
    let given = Password::given(present).secret();
    if !state.passwords.is(given, account.password.clone()).await? {
        return Err(AccountError::Refused);
    }
    let chosen = Password::chosen(next, &account.email)?;
    let hash = state.passwords.hash(chosen.secret()).await?;
    let transaction = db::begin(&state.db).await?;
    store::set_password(&transaction, account.id, hash).await?;
    session::end_all(&transaction, account.id, Some(but)).await?;
    Entry::new(INSTALLATION, Action::PasswordSet)
        .detail(format!("account {}, by itself", account.id))
        .record(&transaction, &state.keys, state.now())
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// The account of this address and password. What is unknown takes the same steps, counts against the same
/// limits and gets the same answer.
///
/// # Errors
/// [`AccountError::Refused`] without saying what is wrong.
pub async fn sign_in(
    state: &State,
    caller: Network,
    email: &str,
    password: &str,
) -> Result<Account, AccountError> {
    limit::check(state, Rule::SignInByIp, caller).await?;
    let email = model::email(email).ok();
    let key = email
        .as_ref()
        .map_or(String::new(), crate::client::Email::key);
    limit::check(state, Rule::SignInByAccount, &key).await?;
    let found = match &email {
        Some(email) => store::find_by_email(&state.db, email).await?,
        None => None,
    };
    let kept = found.as_ref().and_then(|account| account.password.clone());
    let given = Password::given(password).secret();
    let is_right = state.passwords.is(given, kept).await?;
    match found.filter(|_| is_right) {
        Some(account) => {
            audit::proven(Actor::Account(account.id), INSTALLATION);
            let transaction = db::begin(&state.db).await?;
            Entry::new(INSTALLATION, Action::AccountSignedIn)
                .record(&transaction, &state.keys, state.now())
                .await?;
            transaction.commit().await?;
            Ok(account)
        }
        None => {
            // Which address it was is not recorded: people type passwords there.
            let entry = Entry::new(INSTALLATION, Action::AccountRefused);
            limit::record_refusal(state, entry, caller).await;
            Err(AccountError::Refused)
        }
    }
}

/// Records that someone signed out.
///
/// # Errors
/// When the database fails.
pub async fn signed_out(state: &State) -> Result<(), AccountError> {
    record(state, Action::AccountSignedOut, String::new()).await
}

/// Ends one of an account's sessions, or all but one; how many.
///
/// # Errors
/// When the database fails.
pub async fn end_sessions(
    state: &State,
    account: &Account,
    which: Sessions<'_>,
) -> Result<u64, AccountError> {
    let ended = match which {
        Sessions::One(name) => session::end(&state.db, account.id, name).await?.into(),
        Sessions::AllBut(name) => session::end_all(&state.db, account.id, Some(name)).await?,
    };
    if ended > 0 {
        record(state, Action::AccountSessionsEnded, ended.to_string()).await?;
    }
    Ok(ended)
}

/// Which sessions are meant, by the names that they are listed under.
#[derive(Debug, Clone, Copy)]
pub enum Sessions<'a> {
    /// This one.
    One(&'a [u8]),
    /// Every one but this.
    AllBut(&'a [u8]),
}

async fn record(state: &State, action: Action, detail: String) -> Result<(), AccountError> {
    let transaction = db::begin(&state.db).await?;
    Entry::new(INSTALLATION, action)
        .detail(detail)
        .record(&transaction, &state.keys, state.now())
        .await?;
    transaction.commit().await?;
    Ok(())
}
