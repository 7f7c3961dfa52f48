//! Proving who one is, and setting what one proves it by.

use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr};

use super::{
    link::{self, Whose},
    model::{self, Account, AccountError, Password},
    store,
    wish::Wish,
};
use crate::{
    audit::{Action, Entry, INSTALLATION},
    limit::{self, Rule},
    platform::{clock::Moment, db, keys::Keyring, state::State},
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
    if link::to_password(&state.db, token, now).await?.whose != Whose::First {
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
    let confirmation = Wish::Confirmation {
        account_id: account.id,
    };
    confirmation.put(state, &transaction).await?;
    transaction.commit().await?;
    Ok(account)
}

/// Sets the password of the account that a link names, and ends all of its sessions. A link that came by mail shows
/// that the address is theirs, and makes the account where there is none yet.
///
/// # Errors
/// What is wrong with the link or the password.
pub async fn join(state: &State, token: &str, password: &str) -> Result<Account, AccountError> {
    let now = state.now();
    let link = link::to_password(&state.db, token, now).await?;
    let known = match &link.whose {
        Whose::First | Whose::Moving(..) => return Err(AccountError::LinkInvalid),
        Whose::Account(id) => {
            let account = store::find(&state.db, *id).await?;
            Ok(account.ok_or(AccountError::LinkInvalid)?)
        }
        // Somebody may have let them in since.
        Whose::New(email) => store::find_by_email(&state.db, email).await?.ok_or(email),
    };
    let is_new = matches!(link.whose, Whose::New(_));
    if is_new
        && known
            .as_ref()
            .is_ok_and(|account| account.password.is_some())
    {
        return Err(AccountError::EmailTaken);
    }
    let address = known
        .as_ref()
        .map_or_else(|email| email.as_str(), |account| account.email.as_str());
    let chosen = Password::chosen(password, address)?;
    let hash = state.passwords.hash(chosen.secret()).await?;
    let transaction = db::begin(&state.db).await?;
    link::spend(&transaction, token, now).await?;
    let (account, had_one) = match known {
        Ok(account) => {
            let had_one = account.password.is_some();
            (
                store::set_password(&transaction, account, hash).await?,
                had_one,
            )
        }
        Err(email) => {
            let account = store::insert(&transaction, (email, Some(hash)), false, now).await?;
            store::record_created(&transaction, &state.keys, &account, now).await?;
            (account, false)
        }
    };
    if link.is_mailed {
        store::confirm_email(&transaction, account.id, now).await?;
    }
    link::withdraw(&transaction, account.id).await?;
    session::end_all(&transaction, account.id, None).await?;
    if had_one {
        tell(state, &transaction, &account, "the password was changed").await?;
    }
    Entry::new(INSTALLATION, Action::PasswordSet)
        .detail(format!("account {}, by a link", account.id))
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    Ok(account)
}

/// Lets through who knows the password of an account, before they change a way in.
pub(super) async fn prove(
    state: &State,
    account: &Account,
    present: &str,
) -> Result<(), AccountError> {
    limit::check(state, Rule::SignInByAccount, account.id).await?;
    let given = Password::given(present).secret();
    match state.passwords.is(given, account.password.clone()).await? {
        true => Ok(()),
        false => Err(AccountError::WrongPassword),
    }
}

/// Tells an account by mail that a way in was changed: what, in a sentence's part.
pub(super) async fn tell(
    state: &State,
    transaction: &DatabaseTransaction,
    account: &Account,
    what: &str,
) -> Result<(), AccountError> {
    let changed = Wish::Changed {
        account_id: account.id,
        what: what.to_owned(),
    };
    changed.put(state, transaction).await
}

/// Changes the password of someone who knows the one in force; their other sessions end, and a link that would set
/// another is worth nothing any more. The account as it is then.
///
/// # Errors
/// [`AccountError::WrongPassword`] where they do not know it.
pub async fn change_password(
    state: &State,
    account: &Account,
    (present, next): (&str, &str),
    but: &[u8],
) -> Result<Account, AccountError> {
    prove(state, account, present).await?;
    let chosen = Password::chosen(next, &account.email)?;
    let hash = state.passwords.hash(chosen.secret()).await?;
    let transaction = db::begin(&state.db).await?;
    let account = store::set_password(&transaction, account.clone(), hash).await?;
    link::withdraw(&transaction, account.id).await?;
    session::end_all(&transaction, account.id, Some(but)).await?;
    tell(state, &transaction, &account, "the password was changed").await?;
    Entry::new(INSTALLATION, Action::PasswordSet)
        .detail(format!("account {}, by itself", account.id))
        .record(&transaction, &state.keys, state.now())
        .await?;
    transaction.commit().await?;
    Ok(account)
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

/// Ends all of an account's sessions, for whoever runs the installation; how many.
///
/// # Errors
/// When the database fails.
pub async fn end_all_sessions(
    (db, keys): (&DatabaseConnection, &Keyring),
    account: &Account,
    now: Moment,
) -> Result<u64, DbErr> {
    let transaction = db::begin(db).await?;
    let ended = session::end_all(&transaction, account.id, None).await?;
    if ended > 0 {
        Entry::new(INSTALLATION, Action::AccountSessionsEnded)
            .detail(format!("{ended} of account {}", account.id))
            .record(&transaction, keys, now)
            .await?;
    }
    transaction.commit().await?;
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
    let entry = Entry::new(INSTALLATION, action).detail(detail);
    Ok(entry
        .record_alone(&state.db, &state.keys, state.now())
        .await?)
}
