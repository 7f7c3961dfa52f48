//! The id of the request being answered: in its answer, in the log, and quoted with internal errors.

use uuid::Uuid;

tokio::task_local! {
    static ID: Uuid;
}

/// Stands for the id where no request is being answered.
pub const NONE: &str = "none";

/// The id of the request being answered, or [`NONE`] outside of any.
#[must_use]
pub fn current() -> String {
    ID.try_with(Uuid::to_string)
        .unwrap_or_else(|_| NONE.to_owned())
}

/// Runs what answers the request of this id.
pub async fn within<T>(id: Uuid, answer: impl Future<Output = T>) -> T {
    ID.scope(id, answer).await
}
