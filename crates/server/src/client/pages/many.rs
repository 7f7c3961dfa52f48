//! Many people at once: a file of them, in and out.

use askama::Template;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use bytes::Bytes;

use crate::{
    client::{
        self, Everybody,
        import::{self, Imported, Wrong},
    },
    dashboard_pages,
    http::{
        error::ApiResult,
        extract::{self, Form},
        request::body_too_large,
    },
    pages::{
        dashboard::{Access, Frame, Operator, Viewer, download::download, layout},
        layout::{Layout, Page},
    },
    platform::{export::Format, state::Shared},
};

/// Most bytes of a file, and of the form around it.
const LIMIT: usize = 1024 * 1024;

/// Mistakes that are shown; who has more has the same one in every line.
const SHOWN: usize = 20;

#[derive(Template)]
#[template(path = "client/pages/many.html")]
struct ManyPage {
    layout: Layout,
    frame: Frame,
    error: Option<String>,
    wrong: Vec<Wrong>,
    /// How many mistakes are not shown.
    more: usize,
    imported: Option<Imported>,
    most: usize,
}

dashboard_pages!(ManyPage);

/// What became of a file.
#[derive(Default)]
struct Outcome {
    error: Option<String>,
    wrong: Vec<Wrong>,
    imported: Option<Imported>,
}

async fn show(access: &Access, mut outcome: Outcome) -> ApiResult<Response> {
    let more = outcome.wrong.len().saturating_sub(SHOWN);
    outcome.wrong.truncate(SHOWN);
    let status = match outcome.error {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let page = ManyPage {
        layout: layout(),
        frame: access.frame("clients").await?,
        error: outcome.error,
        wrong: outcome.wrong,
        more,
        imported: outcome.imported,
        most: import::MOST,
    };
    page.answer(status)
}

pub(super) async fn page(Operator(access): Operator) -> ApiResult<Response> {
    show(&access, Outcome::default()).await
}

/// The file in a form.
async fn file(request: Request) -> ApiResult<Bytes> {
    let (parts, body) = request.into_parts();
    let headers: HeaderMap = parts.headers;
    let body = extract::read(body, LIMIT, || body_too_large(LIMIT)).await?;
    Form::parse(&headers, &body)?.bytes("file")
}

pub(super) async fn import(
    State(state): State<Shared>,
    Operator(access): Operator,
    request: Request,
) -> ApiResult<Response> {
    let refused = |sentence: String| Outcome {
        error: Some(sentence),
        ..Outcome::default()
    };
    let Ok(file) = file(request).await else {
        let sentence = "Choose a file of at most 1 MB with an address in each line.";
        return show(&access, refused(sentence.to_owned())).await;
    };
    let people = match import::read(&file) {
        Ok(people) => people,
        Err(import::Unreadable::File(why)) => return show(&access, refused(why)).await,
        Err(import::Unreadable::Lines(wrong)) => {
            let outcome = Outcome {
                error: Some(
                    "Nobody was made known: mend these lines, then send the file again.".to_owned(),
                ),
                wrong,
                ..Outcome::default()
            };
            return show(&access, outcome).await;
        }
    };
    let imported = client::create_all(&state, &access.site, &people, state.now()).await?;
    let outcome = Outcome {
        imported: Some(imported),
        ..Outcome::default()
    };
    show(&access, outcome).await
}

pub(super) async fn csv(
    State(state): State<Shared>,
    Viewer(access): Viewer,
) -> ApiResult<Response> {
    let site = access.site.clone();
    download(state, &access, Everybody::of(site), Format::Csv).await
}

pub(super) async fn ndjson(
    State(state): State<Shared>,
    Viewer(access): Viewer,
) -> ApiResult<Response> {
    let site = access.site.clone();
    download(state, &access, Everybody::of(site), Format::Ndjson).await
}
