//! `axiam face enrolled` and `axiam face reissue`: faces in the database.

use clap::Subcommand;
use face::PackInfo;
use serde_json::json;
use uuid::Uuid;

use crate::{
    cli::{
        CommandError,
        keys::{bar, show},
        serve::{find_pack, open_database},
        site::lookup,
    },
    face::{self as faces, Upkeep},
    platform::{
        clock::{Clock, SystemClock},
        config::Settings,
        keys::Keyring,
    },
};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Count enrolled faces by pack, and who has to enrol again
    Enrolled {
        /// Print the figures as JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Revoke a site's or a client's stored templates and issue others, without new photos
    Reissue {
        /// Id of the site, as `axiam site list` prints it.
        #[arg(long)]
        site: Uuid,
        /// Re-issue those of one client only.
        #[arg(long)]
        client: Option<Uuid>,
    },
}

pub(super) async fn run(settings: &Settings, command: Command) -> Result<(), CommandError> {
    match command {
        Command::Enrolled { json } => enrolled(settings, json).await,
        Command::Reissue { site, client } => Box::pin(reissue(settings, site, client)).await,
    }
}

async fn enrolled(settings: &Settings, as_json: bool) -> Result<(), CommandError> {
    let db = open_database(settings).await?;
    let pack = PackInfo::read(&find_pack(settings)?)?;
    let rows = faces::by_pack(&db).await?;
    let standing = faces::Standing::of(&db, &pack).await?;
    let in_use = |row: &faces::OfPack| row.pack == pack.name() && row.version == pack.version();
    if as_json {
        let packs: Vec<_> = rows
            .iter()
            .map(|row| {
                json!({
                    "pack": row.pack, "version": row.version, "clients": row.clients,
                    "references": row.references, "in_use": in_use(row),
                })
            })
            .collect();
        let printed = json!({
            "packs": packs, "enrolled": standing.enrolled, "must_enrol_again": standing.outdated,
        });
        say!("{printed:#}");
        return Ok(());
    }
    for row in &rows {
        let mark = if in_use(row) { "in use" } else { "" };
        say!(
            "{} {}  {} client(s)  {} reference(s)  {mark}",
            row.pack,
            row.version,
            row.clients,
            row.references
        );
    }
    say!(
        "{} client(s) enrolled with {} {}; {} must enrol again",
        standing.enrolled,
        pack.name(),
        pack.version(),
        standing.outdated
    );
    Ok(())
}

async fn reissue(
    settings: &Settings,
    site: Uuid,
    client: Option<Uuid>,
) -> Result<(), CommandError> {
    let db = open_database(settings).await?;
    let site = lookup::find(&db, site).await?.id;
    let now = SystemClock.now();
    let keys = Keyring::open(&db, &settings.master_key_file(), now).await?;
    let upkeep = Upkeep {
        db: &db,
        keys: &keys,
        now,
    };
    let bar = bar("clients")?;
    let done = upkeep
        .reissue(site, client, |done, all| show(&bar, done, all))
        .await?;
    bar.finish_and_clear();
    if !done.begun {
        say!("An interrupted re-issue was ended; run this again for another new secret.");
    }
    say!("{} client(s) have re-issued templates.", done.done);
    if done.needed > 0 {
        say!("A client enrolled under the old secret a moment ago. Run this again.");
    }
    Ok(())
}
