//! `/phone/`: the phone app, which runs in a browser. The page is a frame; everything in it is made by
//! its script (`web/phone`), from what the phone's routes answer.

mod phones;

use askama::Template;
use axum::{
    Router,
    http::StatusCode,
    response::{Redirect, Response},
    routing::get,
};

use crate::{
    http::error::ApiResult,
    pages::{
        assets::Asset,
        layout::{Layout, May, Page},
    },
    platform::state::Shared,
};

pub use self::phones::routes;

/// The routes of the phone app.
pub fn router() -> Router<Shared> {
    Router::new()
        .route("/phone/", get(phone))
        // Browsers keep what follows the `#` when they are led elsewhere.
        .route("/phone", get(async || Redirect::permanent("/phone/")))
}

#[derive(Template)]
#[template(path = "device/pages/phone.html")]
struct Phone {
    layout: Layout,
    manifest: &'static str,
    /// For the home screens of phones that read no manifest.
    icon: &'static Asset,
    /// The worker that reads QR codes.
    code_worker: &'static Asset,
    /// The engine that sees whether a step was done, where it could be built.
    engine: Option<Engine>,
}

/// The files of the phone's engine.
struct Engine {
    worker: &'static Asset,
    program: &'static Asset,
    weights: &'static Asset,
}

impl Engine {
    fn built() -> Option<Self> {
        Some(Self {
            worker: Asset::perhaps("phone/engine-worker.js")?,
            program: Asset::perhaps("phone/engine.wasm")?,
            weights: Asset::perhaps("phone/engine.onnx")?,
        })
    }
}

impl Page for Phone {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn may(&self) -> &'static [May] {
        &[
            May::ShowImages,
            May::Fetch,
            May::BeInstalled,
            May::UseCamera,
            May::RunEngine,
        ]
    }
}

async fn phone() -> ApiResult<Response> {
    const STYLE: &Asset = Asset::named("phone/phone.css");
    const SCRIPT: &Asset = Asset::named("phone/phone.js");
    const ICON: &Asset = Asset::named("phone/icon-apple-180.png");
    const CODE_WORKER: &Asset = Asset::named("phone/code-worker.js");
    let page = Phone {
        layout: Layout::new().style(STYLE).script(SCRIPT),
        manifest: "/phone/manifest.webmanifest",
        icon: ICON,
        code_worker: CODE_WORKER,
        engine: Engine::built(),
    };
    page.answer(StatusCode::OK)
}
