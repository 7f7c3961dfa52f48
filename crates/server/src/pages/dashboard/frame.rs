//! The frame of the dashboard's pages: who is signed in, which app it is about, where one is.

use uuid::Uuid;

use super::Notice;
use crate::{
    account::Role,
    pages::{assets::Asset, layout::Layout},
    site::Site,
};

/// What `pages/dashboard/frame.html` needs; a page's template has it as `frame`.
#[derive(Debug)]
pub struct Frame {
    /// Who is signed in.
    pub(crate) email: String,
    /// Whether they run the installation.
    pub(crate) is_administrator: bool,
    /// The app that the page is about.
    pub(crate) app: Option<AppTag>,
    /// Which page of the navigation this is.
    pub(crate) here: &'static str,
    /// A sentence about what was done before.
    pub(crate) notice: Option<Notice>,
}

impl Frame {
    /// Whether keys, settings and access may be changed here.
    pub(crate) fn is_owner(&self) -> bool {
        self.app.as_ref().is_some_and(|app| app.role == Role::Owner)
    }

    /// Whether people may be looked after here.
    pub(crate) fn is_operator(&self) -> bool {
        let role = self.app.as_ref().map(|app| app.role);
        role >= Some(Role::Operator)
    }

    /// The address of the app, below which its pages are.
    pub(crate) fn base(&self) -> String {
        let id = self.app.as_ref().map(|app| app.id).unwrap_or_default();
        format!("/dashboard/apps/{id}")
    }
}

/// An app, as the frame shows it.
#[derive(Debug)]
pub struct AppTag {
    /// The contract's `site_id`.
    pub(crate) id: Uuid,
    /// What it is called.
    pub(crate) name: String,
    /// Whether it is switched on.
    pub(crate) is_on: bool,
    /// Whether test identities give their verdicts.
    pub(crate) is_test: bool,
    /// What this account may do.
    pub(crate) role: Role,
}

impl AppTag {
    /// A site, for an account of this role.
    #[must_use]
    pub fn of(site: &Site, role: Role) -> Self {
        Self {
            id: site.id,
            name: site.name.clone(),
            is_on: site.is_enabled(),
            is_test: site.settings.test_mode,
            role,
        }
    }
}

/// The layout of every page of the dashboard.
#[must_use]
pub fn layout() -> Layout {
    const STYLE: &Asset = Asset::named("dashboard/dashboard.css");
    const SCRIPT: &Asset = Asset::named("dashboard/dashboard.js");
    Layout::new().style(STYLE).script(SCRIPT)
}

/// Implements [`Page`](crate::pages::layout::Page) for pages of the dashboard, which send forms and show codes; `live` for one
/// that follows what happens.
#[macro_export]
macro_rules! dashboard_pages {
    (live $name:ident) => {
        impl $crate::pages::layout::Page for $name {
            fn layout(&self) -> &$crate::pages::layout::Layout {
                &self.layout
            }

            fn may(&self) -> &'static [$crate::pages::layout::May] {
                &[
                    $crate::pages::layout::May::SendForms,
                    $crate::pages::layout::May::ShowImages,
                    $crate::pages::layout::May::Fetch,
                ]
            }
        }
    };
    ($($name:ident),* $(,)?) => {$(
        impl $crate::pages::layout::Page for $name {
            fn layout(&self) -> &$crate::pages::layout::Layout {
                &self.layout
            }

            fn may(&self) -> &'static [$crate::pages::layout::May] {
                &[
                    $crate::pages::layout::May::SendForms,
                    $crate::pages::layout::May::ShowImages,
                ]
            }
        }
    )*};
}
