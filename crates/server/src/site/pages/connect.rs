//! Lines to paste, with the site's own values. What the backends' files say is what the tests run.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use crate::{
    dashboard_pages,
    http::error::ApiResult,
    pages::{
        assets::Asset,
        dashboard::{Frame, Viewer, layout},
        layout::{Layout, Page},
    },
    platform::state::{Shared, State as AppState},
    site::Site,
};

/// A language's lines.
pub(super) struct Language {
    pub(super) name: &'static str,
    /// The guide's address below `/docs/`.
    pub(super) guide: &'static str,
    /// The file that asks Axiam.
    pub(super) file: &'static str,
    pub(super) text: &'static str,
    /// How the site of the guide is started.
    pub(super) run: &'static str,
}

macro_rules! language {
    ($name:literal, $folder:literal, $file:literal, $run:literal) => {
        Language {
            name: $name,
            guide: $folder,
            file: $file,
            text: include_str!(concat!("../../../../../examples/", $folder, "/", $file)),
            run: $run,
        }
    };
}

/// The languages that `examples/` has.
const LANGUAGES: [Language; 4] = [
    language!("Node", "node", "axiam.js", "npm start"),
    language!("PHP", "php", "axiam.php", "php -S 127.0.0.1:8000 -t public"),
    language!("Ruby", "ruby", "axiam.rb", "ruby app.rb"),
    language!("Python", "python", "axiam.py", ".venv/bin/python app.py"),
];

/// Lines that are the same in every language.
pub(super) struct Lines {
    pub(super) environment: String,
    pub(super) curl: String,
    pub(super) widget: String,
}

impl Lines {
    /// With a site's own values, and its secret where that is being shown.
    pub(super) fn of(state: &AppState, site: &Site, secret: Option<&str>) -> Self {
        const WIDGET: &Asset = Asset::named("widget/facial-login.js");
        let url = state.settings.public_url();
        let (key, secret) = (&site.api_key, secret.unwrap_or("sk_…"));
        Self {
            environment: format!(
                "export AXIAM_URL={url}\nexport AXIAM_API_KEY={key}\nexport AXIAM_SECRET_KEY={secret}"
            ),
            curl: format!(
                "curl {url}/api/v1/facial_sign_on/application_auth \\\n  -d '{{\"api_key\":\"{key}\",\"secret_key\":\"{secret}\"}}'"
            ),
            widget: format!(
                "<script src=\"{url}{}\"\n  integrity=\"{}\"\n  crossorigin=\"anonymous\" defer></script>\n\n\
                 <axiam-facial-login\n  auth-token=\"…\"\n  form-action=\"/your/sign-in\"></axiam-facial-login>",
                WIDGET.path(),
                WIDGET.integrity
            ),
        }
    }
}

#[derive(Template)]
#[template(path = "site/pages/connect.html")]
struct ConnectPage {
    layout: Layout,
    frame: Frame,
    lines: Lines,
    languages: [Language; 4],
}

dashboard_pages!(ConnectPage);

pub(super) async fn page(
    State(state): State<Shared>,
    Viewer(access): Viewer,
) -> ApiResult<Response> {
    let page = ConnectPage {
        layout: layout(),
        frame: access.frame("connect").await?,
        lines: Lines::of(&state, &access.site, None),
        languages: LANGUAGES,
    };
    page.answer(StatusCode::OK)
}
