//! What failed lately and what to do about it: a part of pages, of one site or of many.

use std::collections::BTreeMap;

use askama::{Template, filters::HtmlSafe};
use chrono::TimeDelta;
use uuid::Uuid;

use super::{
    asked::Asked,
    row::{Row, dressed},
};
use crate::{
    http::error::ApiResult,
    platform::{clock::Moment, state::State as AppState},
    sign_on::{SignOn, tracker},
    site::Site,
};

/// How many, of the last so many days.
const MOST: u32 = 5;
const OF: TimeDelta = TimeDelta::days(7);

/// The last failures, as a section of a page.
#[derive(Template)]
#[template(path = "sign_on/pages/failures.html")]
pub struct Failures {
    failures: Vec<Failure>,
}

/// It is made of a template, which escapes.
impl HtmlSafe for Failures {}

struct Failure {
    row: Row,
    /// The app's name, where there are several.
    app: Option<String>,
    /// The address at which it is opened.
    address: String,
}

impl Failures {
    /// Of one site.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(state: &AppState, site: &Site, now: Moment) -> ApiResult<Self> {
        Self::among(state, &[site], now).await
    }

    /// Of all these sites together, each with its site's name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_all(state: &AppState, sites: &[&Site], now: Moment) -> ApiResult<Self> {
        let mut found = Self::among(state, sites, now).await?;
        let names: BTreeMap<Uuid, &str> = sites
            .iter()
            .map(|site| (site.id, site.name.as_str()))
            .collect();
        for failure in &mut found.failures {
            failure.app = names.get(&failure.row.site_id).map(ToString::to_string);
        }
        Ok(found)
    }

    async fn among(state: &AppState, sites: &[&Site], now: Moment) -> ApiResult<Self> {
        let ids: Vec<Uuid> = sites.iter().map(|site| site.id).collect();
        let rows = tracker::failures(&state.db, &ids, now - OF, MOST).await?;
        let mut of_sites: BTreeMap<Uuid, Vec<SignOn>> = BTreeMap::new();
        for row in &rows {
            of_sites.entry(row.site_id).or_default().push(row.clone());
        }
        let mut failures = Vec::new();
        // As many sites as there are failures, at most.
        for (id, rows) in of_sites {
            let Some(site) = sites.iter().find(|site| site.id == id) else {
                continue;
            };
            let rows = dressed(state, site, &rows, now).await?;
            failures.extend(rows.into_iter().map(|row| Failure {
                address: format!(
                    "/dashboard/apps/{id}?{}#open",
                    Asked::default().opened(row.id).query()
                ),
                app: None,
                row,
            }));
        }
        let place = |id: Uuid| rows.iter().position(|row| row.id == id);
        failures.sort_by_key(|failure| place(failure.row.id));
        Ok(Self { failures })
    }

    /// Whether nothing failed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.failures.is_empty()
    }
}
