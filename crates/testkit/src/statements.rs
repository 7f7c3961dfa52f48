//! What an app asks its database while it answers requests.

use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::DatabaseConnection;
use server::http::request_id;

/// The statements of answers, in order; what is done beside them is left out.
#[derive(Clone, Default)]
pub struct Statements(Arc<Mutex<Vec<String>>>);

impl Statements {
    /// Begins to listen to a connection.
    pub(crate) fn of(db: &mut DatabaseConnection) -> Self {
        let heard = Self::default();
        let list = heard.clone();
        db.set_metric_callback(move |said| {
            if request_id::current() != request_id::NONE {
                list.list().push(said.statement.sql.clone());
            }
        });
        heard
    }

    /// Those since the last time, as texts with placeholders.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.list())
    }

    fn list(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
