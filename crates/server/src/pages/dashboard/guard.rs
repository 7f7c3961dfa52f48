//! Who may see a page of the dashboard, as extractors: a handler that takes one of these has the account, the
//! site and the role together, or does not run.

use std::collections::HashMap;

use axum::{
    extract::{FromRequestParts, OriginalUri, Path},
    http::{Method, Uri, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use tower_sessions::Session;
use uuid::Uuid;

use super::{
    Notice,
    frame::{AppTag, Frame},
};
use crate::{
    account::{self, Account, Role, Second},
    audit::{self, Action, Actor, Entry, INSTALLATION},
    http::{
        error::{ApiError, ApiResult, Code},
        request,
    },
    limit,
    platform::state::{Shared, State},
    session,
    site::{self, Site},
};

/// Under which name a session keeps what the next page says.
const NOTICE: &str = "dashboard.said";

/// Whoever is signed in.
pub struct SignedIn {
    /// Who they are.
    pub account: Account,
    /// Their browser's session.
    pub session: Session,
}

/// An account at a site on which it has a role.
pub struct Access {
    /// Who they are.
    pub account: Account,
    /// The site in the path.
    pub site: Site,
    /// What they may do there.
    pub role: Role,
    /// Their browser's session.
    pub session: Session,
}

/// Declares the guards of a site's pages: each takes an account with at least its role.
macro_rules! guards {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        pub struct $name(pub Access);

        impl FromRequestParts<Shared> for $name {
            type Rejection = Refusal;

            async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, Refusal> {
                access(parts, state, Role::$name).await.map(Self)
            }
        }
    )*};
}

guards! {
    /// Someone who may look at this site.
    Viewer;
    /// Someone who looks after this site's people.
    Operator;
    /// Someone who holds this site's keys.
    Owner;
}

/// Someone who runs the installation.
pub struct Administrator(pub SignedIn);

impl FromRequestParts<Shared> for Administrator {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, Refusal> {
        let signed_in = SignedIn::from_request_parts(parts, state).await?;
        let account = &signed_in.account;
        if account.is_administrator {
            return Ok(Self(signed_in));
        }
        record_refused(state, account, INSTALLATION, "no administrator").await;
        Err(Refusal::Administrator)
    }
}

/// Why a page is not shown.
#[derive(Debug)]
pub enum Refusal {
    /// Nobody is signed in; where to go back to afterwards.
    SignIn(String),
    /// Another way in is to be added first.
    AddWay,
    /// There is no such site for this account.
    Nothing(Uri),
    /// The role does not do.
    Role(Role),
    /// It is for those who run the installation.
    Administrator,
    /// Something failed.
    Failed(ApiError),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn(back) => Redirect::to(&sign_in_address(&back)).into_response(),
            Self::AddWay => Redirect::to("/dashboard/account/ways").into_response(),
            Self::Nothing(uri) => request::no_route(&uri, &[]).into_response(),
            Self::Role(has) => {
                let text = format!("a {} may not do this", has.as_str());
                let sentence = format!(
                    "You are {} of this app, and may not do this. Ask one of its owners.",
                    if has == Role::Viewer {
                        "a viewer"
                    } else {
                        "an operator"
                    }
                );
                ApiError::new(Code::ScopeForbidden, text)
                    .with_user_message(sentence)
                    .into_response()
            }
            Self::Administrator => {
                let sentence =
                    "This is for whoever runs this installation. Ask one of its administrators.";
                ApiError::new(Code::ScopeForbidden, "only administrators may do this")
                    .with_user_message(sentence.to_owned())
                    .into_response()
            }
            Self::Failed(error) => error.into_response(),
        }
    }
}

impl<E: Into<ApiError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// The sign-in page, which leads back to a page of ours.
fn sign_in_address(back: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", back);
    format!("/dashboard/sign-in?{}", query.finish())
}

impl FromRequestParts<Shared> for SignedIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, Refusal> {
        let session = Session::from_request_parts(parts, state)
            .await
            .map_err(|(_, error)| ApiError::internal(&error))?;
        match account_of(state, &session).await? {
            Some((_, Second::MustAdd)) if !adds_a_way(parts.uri.path()) => Err(Refusal::AddWay),
            Some((account, _)) => {
                audit::proven(Actor::Account(account.id), INSTALLATION);
                Ok(Self { account, session })
            }
            // A form cannot be sent again by going back to it.
            None if parts.method == Method::GET => {
                let called = parts.extensions.get::<OriginalUri>();
                let called = called.map_or(&parts.uri, |original| &original.0);
                let path = called.path_and_query().map_or("/", |path| path.as_str());
                Err(Refusal::SignIn(path.to_owned()))
            }
            None => Err(Refusal::SignIn("/dashboard".to_owned())),
        }
    }
}

/// The account that is signed in here, if one is, and whether it must add another way in before anything else.
///
/// # Errors
/// When the database fails.
pub async fn account_of(state: &State, session: &Session) -> ApiResult<Option<(Account, Second)>> {
    let remembered: Option<session::SignedIn> = session
        .get(session::SignedIn::NAME)
        .await
        .map_err(|error| ApiError::internal(&error))?;
    let Some(known) = remembered else {
        return Ok(None);
    };
    // A password may have been replaced while somebody was signing in by the one before.
    let account = account::find(&state.db, known.account_id).await?;
    let Some(account) = account.filter(|account| account.proof() == known.proof) else {
        return Ok(None);
    };
    // Asked each time: it may be required since they signed in, or their last way have been taken away.
    let second = match account::second_asked(state, &account).await? {
        Second::MustShow if known.is_strong => Second::Nothing,
        second => second,
    };
    Ok((second != Second::MustShow).then_some((account, second)))
}

/// Whether somebody who has yet to add another way in may use this.
fn adds_a_way(path: &str) -> bool {
    const ALLOWED: [&str; 4] = ["ways", "face", "passkeys", "passkeys/add"];
    let own = path.strip_prefix("/dashboard/account/");
    path == "/dashboard/sign-out" || own.is_some_and(|path| ALLOWED.contains(&path))
}

async fn access(parts: &mut Parts, state: &Shared, wanted: Role) -> Result<Access, Refusal> {
    let SignedIn { account, session } = SignedIn::from_request_parts(parts, state).await?;
    let uri = parts.uri.clone();
    let nothing = || Refusal::Nothing(uri.clone());
    let Ok(Path(names)) = Path::<HashMap<String, String>>::from_request_parts(parts, state).await
    else {
        return Err(nothing());
    };
    let id = names.get("site").and_then(|id| id.parse::<Uuid>().ok());
    let id = id.ok_or_else(nothing)?;
    let site = site::find(&state.db, id).await?.ok_or_else(nothing)?;
    match account::role_on(&state.db, &account, &site).await? {
        Some(role) if role >= wanted => {
            audit::proven(Actor::Account(account.id), site.id);
            Ok(Access {
                account,
                site,
                role,
                session,
            })
        }
        Some(role) => {
            record_refused(state, &account, site.id, role.as_str()).await;
            Err(Refusal::Role(role))
        }
        None => {
            record_refused(state, &account, site.id, "no role").await;
            Err(nothing())
        }
    }
}

/// Records that an account asked for more than it may.
async fn record_refused(state: &State, account: &Account, site_id: Uuid, has: &str) {
    let entry = Entry::new(site_id, Action::AccessRefused).detail(format!("dashboard, {has}"));
    limit::record_refusal(state, entry, format!("{site_id} {}", account.id)).await;
}

impl SignedIn {
    /// The frame of a page that is about no single site.
    ///
    /// # Errors
    /// When the session cannot be read.
    pub async fn frame(&self, here: &'static str) -> ApiResult<Frame> {
        Ok(Frame {
            email: self.account.email.clone(),
            is_administrator: self.account.is_administrator,
            app: None,
            here,
            notice: notice(&self.session).await?,
        })
    }

    /// Has the next page say something.
    ///
    /// # Errors
    /// When the session cannot be written.
    pub async fn say(&self, notice: impl Into<Notice>) -> ApiResult<()> {
        say(&self.session, notice.into()).await
    }
}

impl Access {
    /// The frame of a page about the site.
    ///
    /// # Errors
    /// When the session cannot be read.
    pub async fn frame(&self, here: &'static str) -> ApiResult<Frame> {
        Ok(Frame {
            email: self.account.email.clone(),
            is_administrator: self.account.is_administrator,
            app: Some(AppTag::of(&self.site, self.role)),
            here,
            notice: notice(&self.session).await?,
        })
    }

    /// Leads to a page of the site, which says something.
    ///
    /// # Errors
    /// When the session cannot be written.
    pub async fn back_to(&self, page: &str, notice: impl Into<Notice>) -> ApiResult<Response> {
        say(&self.session, notice.into()).await?;
        let address = format!("/dashboard/apps/{}{page}", self.site.id);
        Ok(Redirect::to(&address).into_response())
    }
}

async fn notice(session: &Session) -> ApiResult<Option<Notice>> {
    let taken = session.remove(NOTICE).await;
    taken.map_err(|error| ApiError::internal(&error))
}

async fn say(session: &Session, notice: Notice) -> ApiResult<()> {
    let kept = session.insert(NOTICE, notice).await;
    kept.map_err(|error| ApiError::internal(&error))
}
