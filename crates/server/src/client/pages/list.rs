//! Finding people, and making them known.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use serde::Deserialize;

use crate::{
    client::{self, Client, ClientError, Email, FullName, Place},
    dashboard_pages,
    http::{error::ApiResult, extract::Query},
    pages::{
        dashboard::{Access, Fields, Frame, Operator, Viewer, When, layout},
        layout::{Layout, Page},
    },
    platform::{
        clock::Moment,
        state::{Shared, State as AppState},
    },
};

/// People on a page.
const ROWS: u64 = 50;

#[derive(Template)]
#[template(path = "client/pages/list.html")]
struct ListPage {
    layout: Layout,
    frame: Frame,
    q: String,
    rows: Vec<Row>,
    /// The rest of an address, where there are more.
    older: Option<String>,
    is_first: bool,
    /// Whether more people match than are shown.
    is_cut: bool,
    error: Option<String>,
    /// What is wrong with the name, rather than with the address.
    is_name_wrong: bool,
    email: String,
    full_name: String,
}

dashboard_pages!(ListPage);

struct Row {
    client: Client,
    is_locked: bool,
    known: When,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    q: String,
    after: String,
}

/// The row that a page goes on after, as it stands in addresses.
fn place(text: &str) -> Option<Place> {
    let (at, id) = text.split_once('.')?;
    let at = Moment::from_timestamp_micros(at.parse().ok()?)?;
    Some((at, id.parse().ok()?))
}

/// What was typed, where it could not be taken.
#[derive(Default)]
struct Refused {
    error: Option<String>,
    is_name_wrong: bool,
    email: String,
    full_name: String,
}

async fn show(
    state: &AppState,
    access: &Access,
    wanted: Wanted,
    refused: Refused,
) -> ApiResult<Response> {
    let now = state.now();
    let after = place(&wanted.after);
    let most = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let mut found = client::search(&state.db, &access.site, &wanted.q, after, ROWS + 1).await?;
    let is_search = !wanted.q.trim().is_empty();
    let more = found.len() > most;
    found.truncate(most);
    let older = found
        .last()
        .filter(|_| more && !is_search)
        .map(|last| format!("?after={}.{}", last.created_at.timestamp_micros(), last.id));
    let status = match refused.error {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let page = ListPage {
        layout: layout(),
        frame: access.frame("clients").await?,
        q: wanted.q,
        rows: found
            .into_iter()
            .map(|client| Row {
                is_locked: client.pass(now).is_err(),
                known: When::new(client.created_at, now),
                client,
            })
            .collect(),
        older,
        is_first: after.is_none(),
        is_cut: more && is_search,
        error: refused.error,
        is_name_wrong: refused.is_name_wrong,
        email: refused.email,
        full_name: refused.full_name,
    };
    page.answer(status)
}

pub(super) async fn page(
    State(state): State<Shared>,
    Viewer(access): Viewer,
    Query(wanted): Query<Wanted>,
) -> ApiResult<Response> {
    show(&state, &access, wanted, Refused::default()).await
}

#[derive(Deserialize)]
pub(super) struct Person {
    #[serde(default)]
    email: String,
    #[serde(default)]
    full_name: String,
}

pub(super) async fn create(
    State(state): State<Shared>,
    Operator(access): Operator,
    Fields(person): Fields<Person>,
) -> ApiResult<Response> {
    let email = Email::try_from(person.email.clone());
    let full_name = FullName::try_from(person.full_name.clone());
    let (email, full_name) = match (email, full_name) {
        (Ok(email), Ok(full_name)) => (email, full_name),
        (email, full_name) => {
            let is_name_wrong = email.is_ok();
            let error = match email {
                Err(_) => "Write the whole address, such as ann@example.com.".to_owned(),
                Ok(_) => format!("The name {}.", full_name.err().unwrap_or_default()),
            };
            let refused = Refused {
                error: Some(error),
                is_name_wrong,
                email: person.email,
                full_name: person.full_name,
            };
            return show(&state, &access, Wanted::default(), refused).await;
        }
    };
    let made = client::create(&state, &access.site, &email, &full_name, state.now()).await;
    match made {
        Ok(id) => {
            let sentence = "They are known now. Show them a code to pair their phone.";
            access.back_to(&format!("/clients/{id}"), sentence).await
        }
        Err(ClientError::EmailTaken(id)) => {
            let sentence = "This address is known already. This is whose it is.";
            access.back_to(&format!("/clients/{id}"), sentence).await
        }
        Err(error) => Err(error.into()),
    }
}
