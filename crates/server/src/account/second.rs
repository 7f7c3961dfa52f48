//! Whether a password alone lets an account in. A passkey, whose device has verified the person, and a phone with the own face are
//! two factors each; so what is asked of somebody who typed a password is to show one of them.

use sea_orm::DbErr;

use super::{
    ceremony::RelyingParty,
    face::{self, FaceWay},
    model::Account,
    passkeys,
};
use crate::platform::{config::SecondFactor, state::State};

/// What is asked of an account beside its password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Second {
    /// Nothing.
    Nothing,
    /// To show its passkey or face.
    MustShow,
    /// To add one, before anything else.
    MustAdd,
}

/// What is asked of an account beside its password.
///
/// # Errors
/// When the database fails.
pub async fn asked(state: &State, account: &Account) -> Result<Second, DbErr> {
    if state.settings.accounts.second_factor == SecondFactor::Optional {
        return Ok(Second::Nothing);
    }
    Ok(match has_another_way(state, account).await? {
        true => Second::MustShow,
        false => Second::MustAdd,
    })
}

/// Whether it has one that works here.
async fn has_another_way(state: &State, account: &Account) -> Result<bool, DbErr> {
    let takes_passkeys = RelyingParty::of(&state.settings.public_url()).is_some();
    if takes_passkeys && !passkeys::passkeys(&state.db, account).await?.is_empty() {
        return Ok(true);
    }
    let is_open = face::door(state).await?.is_some();
    Ok(is_open && face::face_way(state, account).await? == FaceWay::Ready)
}
