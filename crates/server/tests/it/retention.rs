//! Nothing grows for ever: of every table it is stated what bounds it, and what is swept by age goes.

use std::{collections::BTreeMap, sync::Arc};

use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use server::{
    platform::clock::Clock as _,
    session::Sessions,
    site::{self, Liveness},
};
use testkit::{App, Backend, Scripted, on_each_database};
use tower_sessions::{SessionStore, session::Record};

use crate::{
    device_facial::count,
    webhooks::{hook, nearby},
};

/// What bounds the rows of a table.
enum Bound {
    /// As many as there are of something that people or operators make and remove.
    By(&'static str),
    /// Age. So many rows are left in the end of what the test below writes, for the reason given.
    Age(i64, &'static str),
}

use Bound::{Age, By};

/// Every table. A new one needs its line here and in `docs/retention.md`.
const TABLES: [(&str, Bound); 31] = [
    ("_sqlx_migrations", By("versions of the program")),
    ("keys", By("purposes, sites and rotations")),
    ("sites", By("what the operator registers")),
    ("redis_users", By("sites")),
    ("audit_heads", By("sites")),
    ("clients", By("people, until they are erased")),
    ("client_keys", By("clients")),
    ("face_references", By("clients, a few for each")),
    ("accounts", By("whom the operator and the owners let in")),
    ("memberships", By("accounts and sites")),
    ("account_links", Age(0, "")),
    ("account_faces", By("accounts, one for each at most")),
    ("passkeys", By("accounts, ten for each at most")),
    ("recovery_codes", By("accounts, ten for each at most")),
    ("audit_events", Age(0, "")),
    ("consents", Age(1, "the one in force")),
    ("device_proofs", Age(0, "")),
    (
        "devices",
        Age(1, "the one that enrolled a face which is there"),
    ),
    ("enrolments", Age(0, "")),
    ("freezes", Age(0, "")),
    ("limits", Age(0, "")),
    ("notices", By("kinds of notices")),
    ("outbox", Age(0, "")),
    ("pushes", Age(0, "")),
    ("seen_frames", Age(0, "")),
    ("sessions", Age(0, "")),
    ("site_secrets", Age(1, "the one in force")),
    ("site_tokens", Age(0, "")),
    ("webhooks", By("sites, ten for each at most")),
    (
        "fcm_accounts",
        By("sites, one for each, and one for the installation"),
    ),
    (
        "sign_on_tallies",
        By("how many of a day ended how, naming nobody"),
    ),
];
/// The same, where a site says how long.
const SITES_OWN: (&str, Bound) = ("sign_ons", Age(0, ""));

const DAY: i64 = 24 * 3600;

async fn tables(app: &App) -> Vec<String> {
    let db = &app.app.state.db;
    let query = match db.get_database_backend() {
        DbBackend::Postgres => {
            "select table_name as name from information_schema.tables where table_schema = current_schema()"
        }
        _ => "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'",
    };
    let statement = Statement::from_string(db.get_database_backend(), query);
    let rows = db.query_all_raw(statement).await.unwrap();
    rows.iter()
        .map(|row| row.try_get("", "name").unwrap())
        .collect()
}

async fn rows(app: &App, table: &str) -> i64 {
    count(app, &format!("select count(*) as n from {table}")).await
}

/// Time passes, and everything is swept until nothing more goes.
async fn pass(app: &App, seconds: i64) {
    app.clock.advance(seconds);
    for _ in 0..4 {
        app.app.sweep().await.unwrap();
        app.clock.advance(601);
    }
}

fn take(number: usize) -> Vec<Vec<u8>> {
    Scripted::take(&[0.5, 0.5], number, 4)
}

/// Someone lives with a site for a while, someone else comes and goes.
async fn live(app: &App) -> Backend {
    let site = app
        .site_with("a.example", |settings| settings.liveness = Liveness::Active)
        .await;
    hook(app, &site, "https://127.0.0.1:9/", &[]).await;
    let ann = site.paired("ann@example.com").await;
    ann.phone.enrol(&take(0)).await.unwrap();
    ann.phone.enrol(&take(1)).await.unwrap();
    site.push(ann.client_id).await;
    ann.phone
        .scan(ann.waiting().await, None, &take(2))
        .await
        .unwrap();
    site.push(ann.client_id).await;
    ann.phone.deny(ann.waiting().await, true).await.unwrap();
    let link = site.enrolment_link(ann.client_id, "login").await;
    let lost = site.try_pair(&link).await.unwrap();
    ann.phone.unpair(lost.pairing().device_id).await.unwrap();
    let bob = site.paired("bob@example.com").await;
    bob.phone.enrol(&take(3)).await.unwrap();
    bob.phone.erase().await.unwrap();
    let (db, keys) = (&app.app.state.db, &app.app.state.keys);
    let row = site::find(db, site.site_id).await.unwrap().unwrap();
    let rotation = site::Rotation {
        overlap: TimeDelta::seconds(60),
        life: None,
    };
    site::rotate_secret(db, keys, &row, rotation, app.clock.now())
        .await
        .unwrap();
    let state = &app.app.state;
    let now = server::platform::clock::Clock::now(&*app.clock);
    server::account::offer(&state.db, &state.keys, None, now)
        .await
        .unwrap();
    let sessions = Sessions::new(&app.app.state);
    let mut record = Record {
        id: tower_sessions::session::Id::default(),
        data: Default::default(),
        expiry_date: tower_sessions::cookie::time::OffsetDateTime::now_utc(),
    };
    sessions.create(&mut record).await.unwrap();
    site
}

on_each_database! {
    async fn of_every_table_it_is_stated_what_bounds_it(app: App) {
        let stated: BTreeMap<&str, &Bound> = TABLES.iter().chain([&SITES_OWN]).map(|(name, bound)| (*name, bound)).collect();
        let mut there = tables(&app).await;
        there.sort();
        assert_eq!(stated.keys().copied().collect::<Vec<_>>(), there);
        let guide = include_str!("../../../../docs/retention.md");
        for (name, bound) in &stated {
            let line = guide.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
            let line = line.unwrap_or_else(|| panic!("docs/retention.md says nothing of {name}"));
            if let By(what) = bound {
                assert!(line.contains(what), "{line}: {what}");
            }
        }
    }

    async fn what_is_old_goes_and_what_is_needed_stays(app: App) {
        let engine = Arc::new(Scripted::version("1"));
        let app = App::start_with(app.database.clone(), engine, |settings| {
            settings.limits.enrol_per_device = 100;
            nearby(settings);
        }).await;
        live(&app).await;
        let by_age = || TABLES.iter().chain([&SITES_OWN]).filter_map(|(name, bound)| match bound {
            Age(left, why) => Some((*name, *left, *why)),
            By(_) => None,
        });
        for (name, left, _) in by_age() {
            assert!(rows(&app, name).await > left, "{name}");
        }
        // What is still open comes to its end, which is recorded too.
        pass(&app, DAY).await;
        for name in ["consents", "devices", "sign_ons"] {
            assert!(rows(&app, name).await > 1, "{name}: too early");
        }
        pass(&app, 4 * 366 * DAY).await;
        for (name, left, why) in by_age() {
            assert_eq!(rows(&app, name).await, left, "{name}: {why}");
        }
        // The log goes on from where it was cut off.
        let state = &app.app.state;
        for site in server::audit::sites(&state.db).await.unwrap() {
            let report = server::audit::verify(&state.db, &state.keys, site, None).await.unwrap();
            assert_eq!(report.breach, None);
        }
    }

    async fn a_site_says_how_long_for_itself(app: App) {
        let short = app.site_with("a.example", |settings| {
            settings.sign_on_days = Some(2);
            settings.audit_days = Some(3);
        }).await;
        let long = app.site("b.example").await;
        for site in [&short, &long] {
            let ann = site.enrolled("ann@example.com").await;
            site.push(ann.client_id).await;
        }
        let of = async |site: &Backend, table: &str| {
            let id = match app.app.state.db.get_database_backend() {
                DbBackend::Postgres => format!("'{}'", site.site_id),
                _ => format!("x'{}'", site.site_id.simple()),
            };
            count(&app, &format!("select count(*) as n from {table} where site_id = {id}")).await
        };
        pass(&app, 3600).await;
        pass(&app, 2 * DAY).await;
        assert_eq!((of(&short, "sign_ons").await, of(&long, "sign_ons").await), (0, 1));
        assert!(of(&short, "audit_events").await > 0);
        pass(&app, DAY).await;
        assert_eq!(of(&short, "audit_events").await, 0);
        assert!(of(&long, "audit_events").await > 0);
    }

    /// More than one batch.
    async fn many_old_rows_go_too(app: App) {
        let site = app.site("a.example").await;
        let ann = site.client("ann@example.com").await;
        let db = &app.app.state.db;
        let now = server::platform::clock::Clock::now(&*app.clock);
        for number in 0..1100 {
            let row = Statement::from_sql_and_values(
                db.get_database_backend(),
                "insert into enrolments (id, site_id, client_id, token_hash, flow_type, expires_at, created_at) \
                 values ($1, $2, $3, $4, 'login', $5, $5)",
                [uuid::Uuid::new_v4().into(), site.site_id.into(), ann.into(), format!("{number}").into_bytes().into(), now.into()],
            );
            db.execute_raw(row).await.unwrap();
        }
        pass(&app, 2 * DAY).await;
        assert_eq!(rows(&app, "enrolments").await, 0);
    }
}
