//! The dashboard's pages about accounts: coming in, one's own account, who else may come in.

mod access;
mod enter;
mod own;
mod set;

use crate::{
    account::AccountError,
    http::error::{ApiError, in_words},
    limit::Limited,
    pages::dashboard::{Need, Routes},
};

/// The routes of this slice's pages.
#[must_use]
pub fn routes() -> Routes {
    const ACCESS: &str = "/dashboard/apps/{site}/access";
    Routes::new()
        .get(Need::Nobody, "/dashboard/sign-in", enter::page)
        .post(Need::Nobody, "/dashboard/sign-in", enter::sign_in)
        .post(Need::Account, "/dashboard/sign-out", enter::sign_out)
        .get(Need::Nobody, "/dashboard/set-up", set::set_up_page)
        .post(Need::Nobody, "/dashboard/set-up", set::set_up)
        .get(Need::Nobody, "/dashboard/join", set::join_page)
        .post(Need::Nobody, "/dashboard/join", set::join)
        .get(Need::Account, "/dashboard/account", own::page)
        .post(
            Need::Account,
            "/dashboard/account/password",
            own::change_password,
        )
        .post(
            Need::Account,
            "/dashboard/account/sessions/end",
            own::end_session,
        )
        .post(
            Need::Account,
            "/dashboard/account/sessions/end-others",
            own::end_others,
        )
        .get(Need::Owner, ACCESS, access::page)
        .post(Need::Owner, ACCESS, access::give)
        .post(
            Need::Owner,
            "/dashboard/apps/{site}/access/remove",
            access::remove,
        )
}

/// A sentence for the person where it is their doing, else the failure itself.
fn sentence(error: AccountError) -> Result<String, ApiError> {
    Ok(match error {
        AccountError::Email(sentence) | AccountError::Password(sentence) => sentence.to_owned(),
        AccountError::Refused => "The e-mail address or the password is wrong. Check both, then try again.".to_owned(),
        AccountError::LinkInvalid => {
            "This link was used already, or is too old. Ask for another one: `axiam account reset` prints it.".to_owned()
        }
        AccountError::SetUpAlready => {
            "This Axiam has its owner already. Sign in instead.".to_owned()
        }
        AccountError::EmailTaken => "An account with this address exists already.".to_owned(),
        AccountError::NotFound => {
            "No account has this address. An administrator makes one: `axiam account create --email ADDRESS`.".to_owned()
        }
        AccountError::Limited(Limited::Over { retry_after, .. }) => format!(
            "There were too many tries. Try again in {}.",
            in_words(retry_after)
        ),
        AccountError::Limited(error) => return Err(error.into()),
        AccountError::Hash(crate::platform::passwords::PasswordError::Overloaded) => {
            return Err(crate::http::error::overloaded());
        }
        AccountError::Hash(error) => return Err(ApiError::internal(&error)),
        AccountError::Database(error) => return Err(error.into()),
    })
}

/// The status of a page that shows such a sentence.
fn status(error: &AccountError) -> axum::http::StatusCode {
    use axum::http::StatusCode;
    match error {
        AccountError::Refused => StatusCode::UNAUTHORIZED,
        AccountError::Limited(_) => StatusCode::TOO_MANY_REQUESTS,
        AccountError::LinkInvalid => StatusCode::GONE,
        AccountError::SetUpAlready | AccountError::EmailTaken => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}
