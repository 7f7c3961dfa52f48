//! `axiam doctor`: looks at everything the server needs and says what to do.

mod address;
mod finding;
mod folders;
mod mail;
mod places;
mod pushes;
mod tls;
mod tokens;

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use ::cable::fanout::redis::Redis;
use face::{Engine, FaceEngine, FmrLevel, PackInfo};

use self::finding::Finding;
use super::{CommandError, serve::find_pack};
use crate::{
    cable::{self, backend},
    face as faces,
    platform::{
        clock::{Clock, Moment, SystemClock, seconds},
        config::{Listen, Settings, TlsMode},
        db::{self, Standing},
        engine::Workers,
        keys::{self, Keyring},
        notices,
    },
    site::{self, Liveness, Site},
};

/// A clock before this is certainly wrong: the contract's first version is younger.
const YOUNGEST: &str = "2026-01-01T00:00:00Z";

/// Seconds by which this clock and the database's may differ: half of what a phone's proof may.
const MOST_APART: i64 = 30;

pub(super) async fn run(settings: &Settings) -> Result<(), CommandError> {
    let mut findings = vec![
        ("config", config(settings)),
        ("address", address::look(settings).await),
        ("folders", folders::look(settings)),
        ("clock", clock()),
        ("pack", pack(settings)),
        ("memory", memory(settings)),
    ];
    let certificate = tls::look(settings, SystemClock.now());
    findings.extend(certificate.map(|finding| ("tls", finding)));
    let places = places::look(settings, SystemClock.now());
    findings.extend(places.map(|finding| ("places", finding)));
    findings.extend(database(settings).await);
    findings.push(("redis", redis(settings).await));
    findings.push(("mail", mail::look(settings).await));
    let mut wrong = 0;
    for (name, finding) in findings {
        let (mark, text) = match finding {
            Finding::Fine(text) => ("ok   ", text),
            Finding::Mind(text) => ("note ", text),
            Finding::Wrong(text) => {
                wrong += 1;
                ("WRONG", text)
            }
        };
        say!("{mark}  {name:<9} {text}");
    }
    match wrong {
        0 => Ok(()),
        1 => Err("one thing is wrong".into()),
        more => Err(format!("{more} things are wrong").into()),
    }
}

fn config(settings: &Settings) -> Finding {
    let listen = &settings.server.listen;
    let is_behind_proxy = settings.is_https()
        && settings.tls.mode == TlsMode::Off
        && !matches!(listen, Listen::Unix(_));
    if is_behind_proxy && settings.server.trusted_proxies.is_empty() {
        return Finding::Mind(
            "behind a TLS proxy, but server.trusted_proxies is empty: every phone would count as one \
             address in the limits"
                .into(),
        );
    }
    Finding::Fine(format!("serving {} on {listen}", settings.public_url()))
}

fn clock() -> Finding {
    let now = SystemClock.now();
    let youngest = YOUNGEST.parse::<Moment>().unwrap_or_default();
    if now < youngest || SystemTime::now() < UNIX_EPOCH {
        return Finding::Wrong(format!(
            "it is not {now}: set the clock (NTP), or phones' proofs are refused"
        ));
    }
    Finding::Fine(format!(
        "{} (phones must be within 60 s of it)",
        now.format("%Y-%m-%d %H:%M:%S UTC")
    ))
}

fn pack(settings: &Settings) -> Finding {
    let dir = match find_pack(settings) {
        Ok(dir) => dir,
        Err(error) => return Finding::Wrong(error.to_string()),
    };
    match Engine::load(&dir) {
        Ok(engine) => {
            let pack = engine.pack();
            Finding::Fine(format!(
                "{} {} in {}; a site's default false match rate of 1/10000 is distance {}",
                pack.name(),
                pack.version(),
                dir.display(),
                pack.threshold(FmrLevel::OneIn10000)
            ))
        }
        Err(error) => Finding::Wrong(format!("{error}; run `make models`")),
    }
}

/// What photos may take of the machine's memory at once.
fn memory(settings: &Settings) -> Finding {
    let workers = Workers::count(settings.face.workers) as u64;
    let (uploads, photo) = (settings.server.upload_memory, settings.face.photo_memory);
    let most = u64::from(uploads) + workers * u64::from(photo);
    Finding::Fine(format!(
        "photos take at most {} MB: {} of uploads, and {} for each of {workers} workers",
        most / 1_000_000,
        uploads / 1_000_000,
        photo / 1_000_000
    ))
}

async fn redis(settings: &Settings) -> Finding {
    if settings.redis.url.is_empty() {
        return Finding::Mind(
            "none set: pages hear verdicts through the server they are connected to, so run one"
                .into(),
        );
    }
    if let Err(error) = Redis::reach(&settings.redis.url, &settings.redis.prefix).await {
        return Finding::Wrong(cable::told(&error));
    }
    match backend::cannot_give_users(&settings.redis).await {
        Some(problem) => Finding::Mind(problem),
        None => Finding::Fine("answers; several servers share one cable".into()),
    }
}

async fn database(settings: &Settings) -> Vec<(&'static str, Finding)> {
    let url = settings.database_url();
    let engine = if url.starts_with("sqlite:") {
        "SQLite"
    } else {
        "PostgreSQL"
    };
    if engine == "SQLite" && !settings.data_dir.exists() && settings.database.url.is_empty() {
        let text = format!(
            "{engine}: no data in {} yet; `axiam serve` makes it",
            settings.data_dir.display()
        );
        return vec![("database", Finding::Mind(text))];
    }
    let db = match db::open(&url, 1).await {
        Ok(db) => db,
        Err(error) => {
            let text = match error {
                db::OpenError::Unreachable { .. } => {
                    format!("{engine}: {error}; check database.url and that it is running")
                }
                error => format!("{engine}: {error}"),
            };
            return vec![("database", Finding::Wrong(text))];
        }
    };
    let sites = match sites(&db).await {
        Ok(sites) => sites,
        Err(finding) => return vec![("database", finding)],
    };
    let theirs = db::clock(&db).await.ok().flatten();
    let clocks = theirs.map(|theirs| ("clock", agreement(SystemClock.now(), theirs)));
    let master = settings.master_key_file();
    let keys = keys(&db, &master).await;
    let mut findings = vec![
        (
            "database",
            Finding::Fine(format!("{engine}, {} site(s)", sites.len())),
        ),
        ("liveness", liveness(settings, &sites)),
        ("keys", keys),
        ("faces", enrolled(settings, &db).await),
    ];
    findings.extend(clocks);
    let tokens = tokens::look(&db, &sites).await;
    findings.extend(tokens.into_iter().map(|finding| ("tokens", finding)));
    let pushes = pushes::look(settings, &db, &sites).await;
    findings.extend(pushes.into_iter().map(|finding| ("pushes", finding)));
    let called = called_elsewhere(settings, &db).await;
    findings.extend(called.map(|finding| ("address", finding)));
    findings
}

/// The sites of a database whose schema is this program's.
async fn sites(db: &sea_orm::DatabaseConnection) -> Result<Vec<Site>, Finding> {
    match db::standing(db).await {
        Ok(Standing::UpToDate) => site::all(db)
            .await
            .map_err(|error| Finding::Wrong(error.to_string())),
        Ok(Standing::Behind(pending)) => Err(Finding::Mind(format!(
            "{pending} migration(s) pending: `axiam serve` applies them, or `axiam migrate` now; back up \
             the database before"
        ))),
        Ok(Standing::Ahead(version)) => {
            Err(Finding::Wrong(db::OpenError::Newer(version).to_string()))
        }
        Err(error) => Err(Finding::Wrong(error.to_string())),
    }
}

/// Whether phones were refused lately because they call the server by another address than it knows.
async fn called_elsewhere(
    settings: &Settings,
    db: &sea_orm::DatabaseConnection,
) -> Option<Finding> {
    const LATELY: u32 = 7 * 86_400;
    let (origin, at) = notices::find(db, notices::CALLED_ELSEWHERE).await.ok()??;
    let ours = settings.public_url();
    if origin == ours || at + seconds(LATELY) < SystemClock.now() {
        return None;
    }
    Some(Finding::Mind(format!(
        "on {} a phone signed a request for {origin}, and this server goes by {ours}, so it was refused (1050): \
         if phones do reach it at {origin}, set server.public_url to that",
        at.format("%Y-%m-%d %H:%M UTC")
    )))
}

async fn keys(db: &sea_orm::DatabaseConnection, master: &Path) -> Finding {
    if !master.exists() && keys::list(db).await.is_ok_and(|keys| keys.is_empty()) {
        let file = master.display();
        return Finding::Mind(format!("{file}: none yet; `axiam serve` makes it"));
    }
    match Keyring::open(db, master, SystemClock.now()).await {
        Ok(_) => Finding::Fine(format!("{} opens this database's keys", master.display())),
        Err(error) => Finding::Wrong(error.to_string()),
    }
}

/// Whether this machine's clock and the database's tell the same time. They need not for Axiam,
/// which goes by this one's, but one of them is wrong, and another server may go by the other.
fn agreement(ours: Moment, theirs: Moment) -> Finding {
    let apart = (ours - theirs).num_seconds().abs();
    if apart <= MOST_APART {
        return Finding::Fine("agrees with the database's".into());
    }
    let which = if ours > theirs { "ahead of" } else { "behind" };
    Finding::Wrong(format!(
        "{apart} s {which} the database's: set both by NTP, or phones' proofs are refused and \
         limits last too long"
    ))
}

/// Which sites a picture of a face may pass at, and whether the pack can tell at all.
fn liveness(settings: &Settings, sites: &[Site]) -> Finding {
    let able = find_pack(settings)
        .and_then(|dir| Ok(PackInfo::read(&dir)?))
        .is_ok_and(|pack| pack.has_liveness());
    let at = |level: Liveness| {
        let domains = sites.iter().filter(|site| site.settings.liveness == level);
        domains.map(|site| site.domain.as_str()).collect::<Vec<_>>()
    };
    let (off, passive) = (at(Liveness::Off), at(Liveness::Passive));
    if !able && off.len() < sites.len() {
        return Finding::Wrong(
            "this pack cannot tell a living person: sites need liveness=off, or another pack"
                .into(),
        );
    }
    if off.is_empty() && passive.is_empty() {
        return Finding::Fine("every site asks people to move".into());
    }
    let mut weak = Vec::new();
    if !off.is_empty() {
        weak.push(format!(
            "off at {}: a photo passes as the face",
            off.join(", ")
        ));
    }
    if !passive.is_empty() {
        weak.push(format!(
            "passive at {}: a good print may pass",
            passive.join(", ")
        ));
    }
    Finding::Mind(format!(
        "{}; for real accounts: axiam site set ID liveness=active",
        weak.join("; ")
    ))
}

/// How many clients have to enrol again because another pack made their face.
async fn enrolled(settings: &Settings, db: &sea_orm::DatabaseConnection) -> Finding {
    let pack = match find_pack(settings).map(|dir| PackInfo::read(&dir)) {
        Ok(Ok(pack)) => pack,
        // Said above, with what to do.
        _ => return Finding::Mind("no pack to compare them with".into()),
    };
    let found = match faces::Standing::of(db, &pack).await {
        Ok(found) => found,
        Err(error) => return Finding::Wrong(format!("cannot be counted: {error}")),
    };
    let text = format!("{} client(s) enrolled", found.enrolled);
    match found.outdated {
        0 => Finding::Fine(text),
        more => Finding::Mind(format!(
            "{text}; {more} client(s) of another pack must enrol again (`axiam face enrolled`)"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_disagree_are_told() {
        let now = SystemClock.now();
        assert!(matches!(
            agreement(now, now - seconds(30)),
            Finding::Fine(_)
        ));
        for (ours, theirs, words) in [
            (now + seconds(86_400), now, "86400 s ahead of"),
            (now, now + seconds(31), "31 s behind"),
        ] {
            let Finding::Wrong(text) = agreement(ours, theirs) else {
                panic!("{ours} and {theirs} agree");
            };
            assert!(text.contains(words), "{text}");
        }
    }
}
