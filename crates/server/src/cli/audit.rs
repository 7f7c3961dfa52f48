//! `axiam audit`.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use clap::{Subcommand, ValueEnum};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{CommandError, serve::open_database};
use crate::{
    audit::{self, Exported, Hash, INSTALLATION, Report},
    platform::{
        clock::{Clock, SystemClock},
        config::Settings,
        db,
        keys::Keyring,
    },
    site,
};

/// Lines read at a time.
const BATCH: u64 = 1000;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check that no line was changed, removed, put in or swapped; the exit code is 1 if one was
    Verify {
        /// The log of one site only; the installation's own has the id 00000000-0000-0000-0000-000000000000.
        #[arg(long)]
        site: Option<Uuid>,
        /// What an earlier `verify --json` printed: its last lines must still be there.
        #[arg(long, value_name = "FILE")]
        known: Option<PathBuf>,
        /// Print the report as JSON, to be kept elsewhere and given as --known.
        #[arg(long)]
        json: bool,
    },
    /// Print the log
    Export {
        /// The log of one site only.
        #[arg(long)]
        site: Option<Uuid>,
        /// How lines are written.
        #[arg(long, value_enum, default_value_t = Format::Ndjson)]
        format: Format,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Format {
    /// One JSON object a line.
    Ndjson,
    /// Comma-separated values with a line of names (RFC 4180).
    Csv,
}

pub(super) async fn run(settings: &Settings, command: Command) -> Result<(), CommandError> {
    let db = open_database(settings).await?;
    match command {
        Command::Verify { site, known, json } => {
            let keys = Keyring::open(&db, &settings.master_key_file(), SystemClock.now()).await?;
            let known = known
                .as_deref()
                .map(Known::read)
                .transpose()?
                .unwrap_or_default();
            verify(&db, &keys, site, &known, json).await
        }
        Command::Export { site, format } => {
            // One moment for all of it, while servers go on writing.
            let db = db::snapshot(&db).await?;
            export(&db, site, format).await
        }
    }
}

/// The last lines that an earlier report told.
#[derive(Default)]
struct Known(HashMap<Uuid, (i64, Hash)>);

/// What of a report is read again.
#[derive(Deserialize)]
struct KnownSite {
    site_id: Uuid,
    last_line: i64,
    hash: String,
}

impl Known {
    fn read(file: &Path) -> Result<Self, CommandError> {
        let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let text = fs::read_to_string(file).map_err(|error| wrong(&error))?;
        let sites: Vec<KnownSite> = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
        let mut known = HashMap::new();
        for site in sites {
            let hash = hex::decode(&site.hash).map_err(|error| wrong(&error))?;
            known.insert(site.site_id, (site.last_line, Hash(hash)));
        }
        Ok(Self(known))
    }
}

async fn verify(
    db: &DatabaseConnection,
    keys: &Keyring,
    only: Option<Uuid>,
    known: &Known,
    as_json: bool,
) -> Result<(), CommandError> {
    let domains = domains(db).await?;
    // One moment for all of it, while servers go on writing.
    let db = db::snapshot(db).await?;
    let mut sites = match only {
        Some(site) => vec![site],
        None => audit::sites(&db).await?,
    };
    if only.is_none() {
        // A log that is gone with its head is missed by these.
        sites.extend(domains.keys().chain(known.0.keys()).chain([&INSTALLATION]));
        sites.sort_unstable();
        sites.dedup();
    }
    let mut reports = Vec::with_capacity(sites.len());
    for site in sites {
        reports.push(audit::verify(&db, keys, site, known.0.get(&site)).await?);
    }
    if as_json {
        let printed: Vec<_> = reports.iter().map(as_printed).collect();
        say!("{:#}", json!(printed));
    } else {
        for report in &reports {
            let name = domains.get(&report.site_id).map_or("", String::as_str);
            print(report, name);
        }
    }
    match reports.iter().filter(|one| one.breach.is_some()).count() {
        0 => Ok(()),
        broken => Err(format!("{broken} of {} log(s) are broken", reports.len()).into()),
    }
}

/// The names of sites, for people.
async fn domains(db: &DatabaseConnection) -> Result<HashMap<Uuid, String>, DbErr> {
    let sites = site::all(db).await?;
    let mut names: HashMap<_, _> = sites.into_iter().map(|one| (one.id, one.domain)).collect();
    names.insert(INSTALLATION, "the installation".to_owned());
    Ok(names)
}

fn as_printed(report: &Report) -> serde_json::Value {
    json!({
        "site_id": report.site_id, "lines": report.lines, "pruned": report.pruned,
        "last_line": report.last.0, "hash": report.last.1.to_string(),
        "broken": report.breach.as_ref().map(ToString::to_string),
    })
}

fn print(report: &Report, name: &str) {
    let (id, lines) = (report.site_id, report.lines);
    let pruned = match report.pruned {
        0 => String::new(),
        pruned => format!(" after {pruned} that retention removed"),
    };
    let state = match &report.breach {
        None => format!("intact: {lines} line(s){pruned}"),
        Some(breach) => format!("BROKEN after {lines} good line(s){pruned}: {breach}"),
    };
    say!("{id}  {name:<30}  {state}");
}

async fn export(
    db: &impl ConnectionTrait,
    only: Option<Uuid>,
    format: Format,
) -> Result<(), CommandError> {
    let sites = match only {
        Some(site) => vec![site],
        None => audit::sites(db).await?,
    };
    if matches!(format, Format::Csv) {
        say!("{}", Exported::NAMES);
    }
    for site in sites {
        let mut last = 0;
        loop {
            let lines = audit::lines_after(db, site, last, BATCH).await?;
            let Some(end) = lines.last() else { break };
            last = end.seq;
            for line in &lines {
                let line = Exported::of(line);
                match format {
                    Format::Ndjson => say!("{}", serde_json::to_string(&line)?),
                    Format::Csv => say!("{}", line.csv()),
                }
            }
        }
    }
    Ok(())
}
