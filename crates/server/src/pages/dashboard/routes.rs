//! The dashboard's routes, each with who may use it. They are a table, so that one test goes over all of them: a
//! route whose handler forgot its guard is found by that test, whoever adds it.

use axum::{
    Router,
    handler::Handler,
    http::Method,
    routing::{get, post},
};

use crate::platform::state::Shared;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Anyone: this is where people come in.
    Nobody,
    /// Whoever is signed in.
    Account,
    /// Whoever runs the installation.
    Administrator,
    /// Whoever has a role on the site in the path.
    Viewer,
    /// Its operators and owners.
    Operator,
    /// Its owners.
    Owner,
}

/// A route of the dashboard.
#[derive(Debug, Clone)]
pub struct Described {
    /// `GET` or `POST`.
    pub method: Method,
    /// Its path, with `{site}` for the site that it is about.
    pub path: &'static str,
    /// Who may use it.
    pub need: Need,
}

/// Routes, and what is said of them.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    router: Router<Shared>,
    table: Vec<Described>,
}

impl Routes {
    /// No routes yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a page.
    #[must_use]
    pub fn get<T: 'static>(
        mut self,
        need: Need,
        path: &'static str,
        page: impl Handler<T, Shared>,
    ) -> Self {
        self.note(Method::GET, need, path);
        self.router = self.router.route(path, get(page));
        self
    }

    /// The same with what a form is sent to.
    #[must_use]
    pub fn post<T: 'static>(
        mut self,
        need: Need,
        path: &'static str,
        action: impl Handler<T, Shared>,
    ) -> Self {
        self.note(Method::POST, need, path);
        self.router = self.router.route(path, post(action));
        self
    }

    fn note(&mut self, method: Method, need: Need, path: &'static str) {
        self.table.push(Described { method, path, need });
    }

    /// These routes and others.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.table.extend(other.table);
        self.router = self.router.merge(other.router);
        self
    }

    /// What there is.
    #[must_use]
    pub fn table(&self) -> &[Described] {
        &self.table
    }

    /// The routes themselves.
    pub fn into_router(self) -> Router<Shared> {
        self.router
    }
}
