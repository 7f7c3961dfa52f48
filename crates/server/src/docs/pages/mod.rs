//! `/docs`: the pages, their Markdown, the search, and `/llms.txt`.

use std::sync::{Arc, OnceLock};

use askama::Template;
use axum::{
    Extension, Router,
    extract::{Path, Query, State},
    http::{
        StatusCode, Uri,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;

use super::{Document, Library, search::Found};
use crate::{
    http::{
        error::{ApiError, ApiResult},
        request,
    },
    pages::{
        assets::Asset,
        layout::{Layout, May, Page},
    },
    platform::state::Shared,
};

/// The pages, rendered when the first of them is asked for.
#[derive(Clone)]
struct Reading {
    contract: Arc<utoipa::openapi::OpenApi>,
    library: Arc<OnceLock<Library>>,
}

impl Reading {
    fn library(&self) -> &Library {
        self.library.get_or_init(|| {
            // A contract that is no JSON has no reference; a test holds that it is.
            Library::new(&serde_json::to_value(self.contract.as_ref()).unwrap_or_default())
        })
    }
}

/// The documentation's pages, with the reference of this contract.
pub fn router(contract: utoipa::openapi::OpenApi) -> Router<Shared> {
    let reading = Reading {
        contract: Arc::new(contract),
        library: Arc::default(),
    };
    Router::new()
        .route("/docs", get(contents))
        .route("/docs/search", get(search))
        .route("/docs/{page}", get(page))
        .route("/llms.txt", get(for_programs))
        .layer(Extension(reading))
}

/// What all pages of the documentation have around them.
struct Frame<'a> {
    /// Each shelf with its pages.
    shelves: Vec<(&'static str, Vec<&'a Document>)>,
    /// The page that is open.
    current: &'a str,
    /// What was searched for.
    words: &'a str,
}

impl<'a> Frame<'a> {
    fn new(library: &'a Library, current: &'a str, words: &'a str) -> Self {
        let mut shelves: Vec<(&'static str, Vec<&Document>)> = Vec::new();
        for document in library.documents() {
            match shelves.last_mut() {
                Some((name, documents)) if *name == document.shelf => documents.push(document),
                _ => shelves.push((document.shelf, vec![document])),
            }
        }
        Self {
            shelves,
            current,
            words,
        }
    }
}

fn layout() -> Layout {
    const STYLE: &Asset = Asset::named("docs/docs.css");
    Layout::new().style(STYLE)
}

macro_rules! page {
    ($name:ident) => {
        impl Page for $name<'_> {
            fn layout(&self) -> &Layout {
                &self.layout
            }

            fn may(&self) -> &'static [May] {
                &[May::SendForms]
            }
        }
    };
}

#[derive(Template)]
#[template(path = "docs/pages/page.html")]
struct Open<'a> {
    layout: Layout,
    frame: Frame<'a>,
    document: &'a Document,
    before: Option<&'a Document>,
    after: Option<&'a Document>,
}

page!(Open);

impl Open<'_> {
    /// Links to the page's chapters, where there are enough of them to lose one's way.
    fn chapters(&self) -> Vec<(&str, &str)> {
        let chapters = self.document.rendered.sections.iter();
        let chapters: Vec<_> = chapters
            .filter(|section| section.is_chapter)
            .map(|section| (section.id.as_str(), section.heading.as_str()))
            .collect();
        if chapters.len() < 3 {
            Vec::new()
        } else {
            chapters
        }
    }
}

#[derive(Template)]
#[template(path = "docs/pages/contents.html")]
struct Contents<'a> {
    layout: Layout,
    frame: Frame<'a>,
}

page!(Contents);

#[derive(Template)]
#[template(path = "docs/pages/search.html")]
struct Searched<'a> {
    layout: Layout,
    frame: Frame<'a>,
    found: Vec<Found<'a>>,
}

page!(Searched);

async fn contents(Extension(reading): Extension<Reading>) -> ApiResult<Response> {
    let page = Contents {
        layout: layout(),
        frame: Frame::new(reading.library(), "", ""),
    };
    page.answer(StatusCode::OK)
}

async fn page(
    Extension(reading): Extension<Reading>,
    Path(name): Path<String>,
    uri: Uri,
) -> ApiResult<Response> {
    let library = reading.library();
    let (slug, is_source) = match name.strip_suffix(".md") {
        Some(slug) => (slug, true),
        None => (name.as_str(), false),
    };
    let document = library
        .find(slug)
        .ok_or_else(|| request::no_route(&uri, &[]))?;
    if is_source {
        return Ok(plain(
            "text/markdown; charset=utf-8",
            document.markdown.clone(),
        ));
    }
    let (before, after) = library.beside(slug);
    let page = Open {
        layout: layout(),
        frame: Frame::new(library, slug, ""),
        document,
        before,
        after,
    };
    page.answer(StatusCode::OK)
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    q: String,
}

async fn search(
    Extension(reading): Extension<Reading>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, ApiError> {
    let words: String = wanted.q.trim().chars().take(200).collect();
    let library = reading.library();
    let page = Searched {
        layout: layout(),
        found: library.search(&words),
        frame: Frame::new(library, "", &words),
    };
    page.answer(StatusCode::OK)
}

async fn for_programs(
    State(state): State<Shared>,
    Extension(reading): Extension<Reading>,
) -> Response {
    let text = reading.library().for_programs(&state.settings.public_url());
    plain("text/plain; charset=utf-8", text)
}

fn plain(kind: &'static str, text: String) -> Response {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], text).into_response()
}
