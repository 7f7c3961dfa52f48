//! Letters to be written to accounts, as they wait in the outbox: whom and what about, and no secret. What is in one is
//! found out when it is carried, so that whoever asks for one learns nothing by how long the answer takes.

use chrono::TimeDelta;
use sea_orm::{DatabaseTransaction, DbErr};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::model::{self, Account, AccountError};
use crate::{
    client::Email,
    limit::{self, Rule},
    platform::{
        db,
        keys::Keyring,
        network::Network,
        outbox::{self, Draft},
        state::State,
    },
};

/// The kind of parcels that are letters.
pub(super) const KIND: &str = "mail";

/// A letter that is to be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "wish", rename_all = "snake_case")]
pub(super) enum Wish {
    /// Somebody at the door wants to set another password for the account of an address, if there is one.
    Password { email: String },
    /// Somebody at the door wants an account for an address.
    Account { email: String },
    /// An account's address is to be confirmed.
    Confirmation { account_id: Uuid },
    /// An account was let in to an app.
    Invitation {
        account_id: Uuid,
        app: String,
        role: String,
        by: String,
    },
    /// Somebody who knew an account's password wants it to have this address. Of another password since then it is none
    /// (`Account::proof`).
    NewAddress {
        account_id: Uuid,
        email: String,
        proof: String,
    },
    /// An account has another address than this from now on.
    Moved { account_id: Uuid, from: String },
    /// An account's way in was changed, in a sentence's part.
    Changed { account_id: Uuid, what: String },
}

impl Wish {
    const fn word(&self) -> &'static str {
        match self {
            Self::Password { .. } => "password",
            Self::Account { .. } => "account",
            Self::Confirmation { .. } => "confirmation",
            Self::Invitation { .. } => "invitation",
            Self::NewAddress { .. } => "new_address",
            Self::Moved { .. } => "moved",
            Self::Changed { .. } => "changed",
        }
    }

    /// How long the letter is of use, and the link in it.
    pub(super) fn life(&self) -> TimeDelta {
        match self {
            Self::Password { .. } => TimeDelta::hours(1),
            Self::Account { .. } | Self::NewAddress { .. } => TimeDelta::days(1),
            _ => super::link::LIFE,
        }
    }

    fn target(&self, state: &State) -> Result<Uuid, AccountError> {
        match self {
            Self::Password { email } | Self::Account { email } | Self::NewAddress { email, .. } => {
                Ok(address_of(&state.keys, &model::email(email)?))
            }
            Self::Moved { account_id, .. }
            | Self::Confirmation { account_id }
            | Self::Invitation { account_id, .. }
            | Self::Changed { account_id, .. } => Ok(*account_id),
        }
    }

    /// Puts it into the outbox, in the transaction of what it tells of; nothing where there are no letters.
    pub(super) async fn put(
        &self,
        state: &State,
        transaction: &DatabaseTransaction,
    ) -> Result<(), AccountError> {
        if !state.post.is_open() {
            return Ok(());
        }
        let draft = Draft {
            site_id: None,
            kind: KIND,
            target_id: self.target(state)?,
            subject_id: Uuid::now_v7(),
            topic: self.word().to_owned(),
            body: serde_json::to_string(self).map_err(|error| DbErr::Json(error.to_string()))?,
            life: self.life(),
        };
        Ok(outbox::put(transaction, vec![draft], state.now()).await?)
    }
}

/// Under which id letters to an address wait, whose ever it is.
fn address_of(keys: &Keyring, email: &Email) -> Uuid {
    keys.derive_stand_in(Uuid::nil(), &email.key())
}

/// Forgets letters to an account, to its address, and those that name it.
pub(super) async fn forget(
    transaction: &DatabaseTransaction,
    keys: &Keyring,
    account: &Account,
) -> Result<(), AccountError> {
    let email = model::email(&account.email)?;
    outbox::discard(transaction, &[account.id, address_of(keys, &email)]).await?;
    let name =
        serde_json::to_string(email.as_str()).map_err(|error| DbErr::Json(error.to_string()))?;
    for text in [name, account.id.to_string()] {
        outbox::discard_naming(transaction, KIND, &text).await?;
    }
    Ok(())
}

/// What somebody at the door asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// A link that sets another password.
    Password,
    /// An account.
    Account,
}

/// Has a letter written to an address. Whether there is an account is not looked up here: the same is done and
/// answered for every address.
///
/// # Errors
/// [`AccountError::Email`] where it is none, [`AccountError::Limited`] beyond the limits.
pub async fn ask(
    state: &State,
    caller: Network,
    (what, email): (Asked, &str),
) -> Result<(), AccountError> {
    limit::check(state, Rule::MailByIp, caller).await?;
    let email = model::email(email)?.as_str().to_owned();
    let wish = match what {
        Asked::Password => Wish::Password { email },
        Asked::Account => Wish::Account { email },
    };
    send(state, &wish).await
}

/// Has a letter written, within the limits of its address.
pub(super) async fn send(state: &State, wish: &Wish) -> Result<(), AccountError> {
    let target = wish.target(state)?;
    limit::check(
        state,
        Rule::MailByAddress,
        format!("{} {target}", wish.word()),
    )
    .await?;
    let transaction = db::begin(&state.db).await?;
    wish.put(state, &transaction).await?;
    transaction.commit().await?;
    Ok(())
}
