//! A site's first page: what failed lately and what to do about it, how it goes day by day, and every attempt.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use super::{
    asked::{Asked, PEOPLE, SPANS},
    failures::Failures,
    glance::Glance,
    opened::{Kept, Opened},
    row::{Row, dressed},
};
use crate::{
    dashboard_pages,
    http::{error::ApiResult, extract::Query},
    pages::{
        dashboard::{
            Frame, Viewer, layout,
            live::{self, Live},
        },
        layout::{Layout, Page},
    },
    platform::state::Shared,
    sign_on::{
        State as Stage,
        tracker::{self, After, Reason, STATES},
    },
};

/// Attempts on a page.
const ROWS: u64 = 50;

#[derive(Template)]
#[template(path = "sign_on/pages/tracker.html")]
struct TrackerPage {
    layout: Layout,
    frame: Frame,
    asked: Asked,
    chips: Vec<Vec<Chip>>,
    /// None on narrowed and further pages.
    glance: Option<(Failures, Glance)>,
    rows: Vec<Row>,
    open: Option<Opened>,
    older: Option<String>,
    /// How many people's attempts these are, where more were found.
    cut: Option<u64>,
    /// Whether anybody has ever tried.
    is_new: bool,
    /// Names what is shown, where it follows what happens: further pages stay as they are.
    version: Option<String>,
}

dashboard_pages!(live TrackerPage);

/// A filter that can be put in or taken out.
struct Chip {
    word: &'static str,
    query: String,
    is_in: bool,
}

pub(super) async fn page(
    State(state): State<Shared>,
    Viewer(access): Viewer,
    Query(asked): Query<Asked>,
    live: Live,
) -> ApiResult<Response> {
    let (now, site) = (state.now(), &access.site);
    let meant = asked.meant(&state, site, now, PEOPLE).await?;
    let found = tracker::page(&state.db, site.id, &meant.filter, asked.after(), ROWS).await?;
    let open = Kept::find(&state, site, asked.open()).await?;
    let version = live::version(&(&found.rows, &open));
    if let Some(unchanged) = live.unchanged(&version) {
        return Ok(unchanged);
    }
    let older = found.rows.last().filter(|_| found.more).map(|last| {
        let after = After::of(last).to_string();
        Asked {
            after,
            ..asked.first()
        }
        .query()
    });
    let is_plain = !asked.is_narrowed() && asked.after().is_none();
    let is_new = is_plain && found.rows.is_empty();
    let mut rows = dressed(&state, site, &found.rows, now).await?;
    for row in &mut rows {
        row.query = asked.opened(row.id).query();
    }
    let open = match open {
        Some(kept) => kept.opened(&state, site, now).await?,
        None => None,
    };
    let glance = if is_plain && !is_new && open.is_none() {
        let failures = Failures::of(&state, site, now).await?;
        Some((failures, Glance::of(&state, site, now).await?))
    } else {
        None
    };
    let page = TrackerPage {
        layout: layout(),
        frame: access.frame("tracker").await?,
        chips: chips(&asked),
        version: asked.after().is_none().then_some(version),
        asked,
        glance,
        rows,
        open,
        older,
        cut: meant.is_cut.then_some(PEOPLE),
        is_new,
    };
    page.answer(StatusCode::OK)
}

fn chips(asked: &Asked) -> Vec<Vec<Chip>> {
    let states = asked.states();
    let verdicts = STATES.iter().map(|(state, word)| Chip {
        word: if *state == Stage::Pending {
            "waiting"
        } else {
            word
        },
        query: asked.toggled_verdict(word).query(),
        is_in: states.contains(state),
    });
    let reasons = Reason::ALL.iter().map(|reason| Chip {
        word: reason.words(),
        query: asked.toggled_reason(reason.word()).query(),
        is_in: asked.reason() == Some(*reason),
    });
    let spans = SPANS.iter().map(|(days, word)| Chip {
        word,
        query: asked.toggled_span(*days).query(),
        is_in: asked.days == days.to_string(),
    });
    vec![verdicts.collect(), reasons.collect(), spans.collect()]
}
