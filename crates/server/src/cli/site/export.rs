//! `axiam site clients` and `sign-ons`: what the dashboard lists, as a file.

use std::io::{self, Write};

use clap::Args;
use sea_orm::DatabaseConnection;
use uuid::Uuid;

use crate::{
    audit::{Action, Entry},
    cli::CommandError,
    platform::{
        clock::{Clock, SystemClock},
        export::{Export, Format},
        keys::Keyring,
    },
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Wanted {
    /// The site's id.
    pub(super) id: Uuid,
    /// A JSON object a line instead of CSV.
    #[arg(long)]
    ndjson: bool,
}

impl Wanted {
    fn format(&self) -> Format {
        if self.ndjson {
            Format::Ndjson
        } else {
            Format::Csv
        }
    }
}

/// Writes the file to standard output, and records that it left.
pub(super) async fn write<E: Export>(
    db: &DatabaseConnection,
    keys: &Keyring,
    wanted: &Wanted,
    mut export: E,
) -> Result<(), CommandError> {
    let (now, format) = (SystemClock.now(), wanted.format());
    Entry::new(wanted.id, Action::DataExported)
        .detail(E::NAME)
        .record_alone(db, keys, now)
        .await?;
    let mut out = io::stdout();
    out.write_all(E::head(format).as_bytes())?;
    while let Some(text) = export.next(db, now, format).await? {
        out.write_all(text.as_bytes())?;
    }
    out.flush()?;
    Ok(())
}
