//! What leaves as a file, read from the database while it is written, however long it is.

use async_trait::async_trait;
use sea_orm::{DatabaseConnection, DbErr};

use super::clock::Moment;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a line of names.
    Csv,
    /// A JSON object a line.
    Ndjson,
}

/// What is still to be written of a file.
#[async_trait]
pub trait Export: Send + 'static {
    /// What the file is called, and the audit log calls what left.
    const NAME: &'static str;
    /// The names of the cells, as a line of [`Format::Csv`] without its end.
    const CELLS: &'static str;

    /// The next lines; `None` after the last.
    async fn next(
        &mut self,
        db: &DatabaseConnection,
        now: Moment,
        format: Format,
    ) -> Result<Option<String>, DbErr>;

    /// What stands before the first line.
    fn head(format: Format) -> String {
        match format {
            Format::Csv => format!("{}\r\n", Self::CELLS),
            Format::Ndjson => String::new(),
        }
    }
}
