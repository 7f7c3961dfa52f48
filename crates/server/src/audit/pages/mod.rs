//! Audit logs, of a site and of the installation: read, checked, taken out as a file.

mod export;

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use serde::Deserialize;
use uuid::Uuid;

use super::{INSTALLATION, Line, Report, store, verify};
use crate::{
    account, dashboard_pages,
    http::{error::ApiResult, extract::Query},
    limit::{self, Rule},
    pages::{
        dashboard::{Access, Administrator, Frame, Need, Routes, SignedIn, Viewer, When, layout},
        layout::{Layout, Page},
    },
    platform::{
        db,
        state::{Shared, State as AppState},
    },
};

/// Lines on a page.
const ROWS: u64 = 50;

/// The routes of this slice's pages.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get(Need::Viewer, "/dashboard/apps/{site}/audit", page)
        .post(Need::Viewer, "/dashboard/apps/{site}/audit/check", check)
        .get(
            Need::Viewer,
            "/dashboard/apps/{site}/audit/csv",
            export::csv,
        )
        .get(
            Need::Viewer,
            "/dashboard/apps/{site}/audit/ndjson",
            export::ndjson,
        )
        .get(Need::Administrator, "/dashboard/audit", own)
        .post(Need::Administrator, "/dashboard/audit/check", check_own)
        .get(Need::Administrator, "/dashboard/audit/csv", export::own_csv)
        .get(
            Need::Administrator,
            "/dashboard/audit/ndjson",
            export::own_ndjson,
        )
}

#[derive(Template)]
#[template(path = "audit/pages/log.html")]
struct LogPage {
    layout: Layout,
    frame: Frame,
    /// The log's own address.
    address: String,
    rows: Vec<Row>,
    /// The number that the next page goes on before.
    before: Option<i64>,
    is_first: bool,
    /// What a check of the chain has told just now.
    report: Option<Report>,
}

dashboard_pages!(LogPage);

struct Row {
    line: Line,
    /// What was done, in words.
    done: String,
    /// Who did it, by name where that is known.
    who: String,
    when: When,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    before: Option<i64>,
}

/// Whose log it is, for whom.
enum Log<'a> {
    Site(&'a Access),
    Installation(&'a SignedIn),
}

impl Log<'_> {
    fn id(&self) -> Uuid {
        match self {
            Self::Site(access) => access.site.id,
            Self::Installation(_) => INSTALLATION,
        }
    }

    fn reader(&self) -> Uuid {
        match self {
            Self::Site(access) => access.account.id,
            Self::Installation(signed_in) => signed_in.account.id,
        }
    }

    async fn frame(&self) -> ApiResult<Frame> {
        match self {
            Self::Site(access) => access.frame("audit").await,
            Self::Installation(signed_in) => signed_in.frame("audit").await,
        }
    }

    async fn show(
        &self,
        state: &AppState,
        wanted: Wanted,
        report: Option<Report>,
    ) -> ApiResult<Response> {
        let now = state.now();
        let most = usize::try_from(ROWS).unwrap_or(usize::MAX);
        let before = wanted.before.unwrap_or(i64::MAX);
        let mut lines = store::lines_before(&state.db, self.id(), before, ROWS + 1).await?;
        let more = lines.len() > most;
        lines.truncate(most);
        let actors = lines.iter().map(|line| line.content.actor.as_str());
        let names = account::names_of_actors(&state.db, actors).await?;
        let row = |line: Line| Row {
            done: line.content.action.replace('_', " "),
            who: names
                .get(&line.content.actor)
                .unwrap_or(&line.content.actor)
                .clone(),
            when: When::new(line.content.created_at, now),
            line,
        };
        let frame = self.frame().await?;
        let page = LogPage {
            layout: layout(),
            address: match &frame.app {
                Some(_) => format!("{}/audit", frame.base()),
                None => "/dashboard/audit".to_owned(),
            },
            frame,
            before: lines.last().filter(|_| more).map(|line| line.seq),
            rows: lines.into_iter().map(row).collect(),
            is_first: wanted.before.is_none(),
            report,
        };
        page.answer(StatusCode::OK)
    }

    async fn check(&self, state: &AppState) -> ApiResult<Response> {
        // It goes over the whole log.
        let subject = format!("audit check {}", self.reader());
        limit::check(state, Rule::SignInByAccount, subject).await?;
        let snapshot = db::snapshot(&state.db).await?;
        let report = verify(&snapshot, &state.keys, self.id(), None).await?;
        snapshot.rollback().await?;
        self.show(state, Wanted::default(), Some(report)).await
    }
}

async fn page(
    State(state): State<Shared>,
    Viewer(access): Viewer,
    Query(wanted): Query<Wanted>,
) -> ApiResult<Response> {
    Log::Site(&access).show(&state, wanted, None).await
}

async fn check(State(state): State<Shared>, Viewer(access): Viewer) -> ApiResult<Response> {
    Log::Site(&access).check(&state).await
}

async fn own(
    State(state): State<Shared>,
    Administrator(signed_in): Administrator,
    Query(wanted): Query<Wanted>,
) -> ApiResult<Response> {
    let log = Log::Installation(&signed_in);
    log.show(&state, wanted, None).await
}

async fn check_own(
    State(state): State<Shared>,
    Administrator(signed_in): Administrator,
) -> ApiResult<Response> {
    Log::Installation(&signed_in).check(&state).await
}
