//! Signing in by a password.

use super::{
    model::{self, Account, AccountError, Password},
    second::{self, Second},
    store,
};
use crate::{
    audit::{self, Action, Actor, Entry, INSTALLATION},
    client::Email,
    limit::{self, Rule},
    platform::{network::Network, state::State},
};

/// The account of this address and password. What is unknown takes the same steps, counts against the same
/// limits and gets the same answer.
///
/// # Errors
/// [`AccountError::Refused`] without saying what is wrong; [`AccountError::SecondFactor`] where nothing is, and it does not
/// do.
pub async fn sign_in(
    state: &State,
    caller: Network,
    email: &str,
    password: &str,
) -> Result<Account, AccountError> {
    let found = named(state, caller, email).await?;
    let kept = found.as_ref().and_then(|account| account.password.clone());
    let given = Password::given(password).secret();
    let is_right = state.passwords.is(given, kept).await?;
    match found.filter(|_| is_right) {
        Some(account) if second::asked(state, &account).await? == Second::MustShow => {
            let entry = Entry::new(INSTALLATION, Action::AccountRefused)
                .detail(format!("the password alone, account {}", account.id));
            limit::record_refusal(state, entry, account.id).await;
            Err(AccountError::SecondFactor)
        }
        Some(account) => {
            audit::proven(Actor::Account(account.id), INSTALLATION);
            Entry::new(INSTALLATION, Action::AccountSignedIn)
                .record_alone(&state.db, &state.keys, state.now())
                .await?;
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

/// The account of the address that somebody at a door names, if there is one. Every try counts, by where it comes from and by
/// the address, and whether that is anybody's cannot be told from the time it takes.
///
/// # Errors
/// When there were too many.
pub(super) async fn named(
    state: &State,
    caller: Network,
    email: &str,
) -> Result<Option<Account>, AccountError> {
    limit::check(state, Rule::SignInByIp, caller).await?;
    let email = model::email(email).ok();
    let key = email.as_ref().map_or(String::new(), Email::key);
    limit::check(state, Rule::SignInByAccount, &key).await?;
    Ok(match &email {
        Some(email) => store::find_by_email(&state.db, email).await?,
        None => None,
    })
}
