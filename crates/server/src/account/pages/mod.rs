//! The dashboard's pages about accounts: coming in, one's own account, who else may come in.

mod access;
mod address;
mod ask;
mod by_code;
mod by_face;
mod confirm;
mod enter;
mod leave;
mod letter;
mod own;
mod passkeys;
mod set;
mod ways;

use crate::{
    account::{AccountError, PasskeyError},
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
        .get(Need::Nobody, "/dashboard/forgot", ask::forgot_page)
        .post(Need::Nobody, "/dashboard/forgot", ask::forgot)
        .get(Need::Nobody, "/dashboard/sign-up", ask::sign_up_page)
        .post(Need::Nobody, "/dashboard/sign-up", ask::sign_up)
        .get(Need::Nobody, "/dashboard/confirm", confirm::page)
        .post(Need::Nobody, "/dashboard/confirm", confirm::confirm)
        .get(Need::Nobody, "/dashboard/new-address", address::page)
        .post(Need::Nobody, "/dashboard/new-address", address::take)
        .merge(other_doors())
        .merge(ways_in())
        .get(Need::Account, "/dashboard/account", own::page)
        .post(Need::Account, "/dashboard/account/confirm", confirm::ask)
        .post(Need::Account, "/dashboard/account/email", address::ask)
        .get(Need::Account, "/dashboard/account/erase", leave::page)
        .post(Need::Account, "/dashboard/account/erase", leave::erase)
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

/// Signing in otherwise than by the password.
fn other_doors() -> Routes {
    const FACE: &str = "/dashboard/sign-in/face";
    Routes::new()
        .get(Need::Nobody, FACE, by_face::page)
        .post(Need::Nobody, FACE, by_face::ask)
        .get(Need::Nobody, "/dashboard/sign-in/face/state", by_face::told)
        .post(
            Need::Nobody,
            "/dashboard/sign-in/face/finish",
            by_face::finish,
        )
        .post(
            Need::Nobody,
            "/dashboard/sign-in/face/cancel",
            by_face::cancel,
        )
        .get(Need::Nobody, "/dashboard/sign-in/code", by_code::page)
        .post(Need::Nobody, "/dashboard/sign-in/code", by_code::sign_in)
        .post(Need::Nobody, "/dashboard/sign-in/passkey", passkeys::ask)
        .post(
            Need::Nobody,
            "/dashboard/sign-in/passkey/finish",
            passkeys::sign_in,
        )
}

/// What one signs in by, on one's own account.
fn ways_in() -> Routes {
    Routes::new()
        .get(Need::Account, "/dashboard/account/ways", ways::page)
        .post(Need::Account, "/dashboard/account/face", ways::set_up_face)
        .post(
            Need::Account,
            "/dashboard/account/face/remove",
            ways::drop_face,
        )
        .post(Need::Account, "/dashboard/account/codes", ways::make_codes)
        .post(Need::Account, "/dashboard/account/passkeys", passkeys::make)
        .post(
            Need::Account,
            "/dashboard/account/passkeys/add",
            passkeys::add,
        )
        .post(
            Need::Account,
            "/dashboard/account/passkeys/remove",
            passkeys::remove,
        )
        .post(
            Need::Account,
            "/dashboard/account/codes/remove",
            ways::drop_codes,
        )
}

#[allow(clippy::needless_pass_by_value, reason = "what map_err calls")]
fn failed(error: tower_sessions::session::Error) -> ApiError {
    ApiError::internal(&error)
}

/// A sentence for the person where it is their doing, else the failure itself.
fn sentence(error: AccountError) -> Result<String, ApiError> {
    Ok(match error {
        AccountError::Email(sentence) | AccountError::Password(sentence) => sentence.to_owned(),
        AccountError::Refused => "The e-mail address or the password is wrong. Check both, then try again.".to_owned(),
        AccountError::SecondFactor => "The password is right. Here it does not do alone: sign in with your passkey or your face, too.".to_owned(),
        AccountError::WrongPassword => "The present password is wrong. Nothing was changed.".to_owned(),
        AccountError::LinkInvalid => {
            "This link was used already, or is too old. Ask for another one.".to_owned()
        }
        AccountError::SetUpAlready => {
            "This Axiam has its owner already. Sign in instead.".to_owned()
        }
        AccountError::LastOwner => {
            "An app keeps at least one owner. Make somebody else its owner first.".to_owned()
        }
        AccountError::SameAddress => "This is your address already. Nothing was changed.".to_owned(),
        AccountError::OwnsAlone(apps) => format!(
            "You are the only owner of {}. Make somebody else an owner there, then come back. Nothing was erased.",
            apps.join(", ")
        ),
        AccountError::LastAdministrator => "Nobody else runs this installation. Whoever has the server makes another administrator first: `axiam account create --administrator --email ADDRESS`. Nothing was erased.".to_owned(),
        AccountError::Own => "This is your own address. You are in already.".to_owned(),
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
        AccountError::DashboardSite => "This is the dashboard's own app: whoever looks after its people could come in as any of them. Only administrators may.".to_owned(),
        AccountError::Passkey(PasskeyError::NotAdded(sentence)) => sentence.to_owned(),
        AccountError::Passkey(PasskeyError::Unproven(why)) => {
            tracing::info!(%why, "a passkey was not added");
            "The passkey was not made for this page, or too late. Try again.".to_owned()
        }
        AccountError::Client(error) => return Err(error.into()),
        AccountError::Enrolment(error) => return Err(error.into()),
        AccountError::Erasure(error) => return Err(error.into()),
        AccountError::Site(error) => return Err(error.into()),
        AccountError::Database(error) => return Err(error.into()),
    })
}

/// The status of a page that shows such a sentence.
fn status(error: &AccountError) -> axum::http::StatusCode {
    use axum::http::StatusCode;
    match error {
        AccountError::Refused | AccountError::WrongPassword => StatusCode::UNAUTHORIZED,
        AccountError::SecondFactor => StatusCode::FORBIDDEN,
        AccountError::Limited(_) => StatusCode::TOO_MANY_REQUESTS,
        AccountError::LinkInvalid => StatusCode::GONE,
        AccountError::SetUpAlready
        | AccountError::EmailTaken
        | AccountError::LastOwner
        | AccountError::OwnsAlone(_)
        | AccountError::LastAdministrator
        | AccountError::Passkey(PasskeyError::NotAdded(_)) => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}
