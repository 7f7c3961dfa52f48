//! The audit log is a chain: whoever writes to the database without the master key changes nothing
//! unnoticed.

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use server::{
    audit::{self, Action, Breach, Entry, Pruned, Report},
    platform::{clock::Clock, db},
};
use testkit::{App, Backend, on_each_database};
use uuid::Uuid;

use crate::device_facial::count;

async fn sql(app: &App, text: &str) -> u64 {
    let done = app.app.state.db.execute_unprepared(text).await.unwrap();
    done.rows_affected()
}

/// An id as the engine writes it in SQL.
fn literal(app: &App, id: Uuid) -> String {
    match app.app.state.db.get_database_backend() {
        DbBackend::Postgres => format!("'{id}'"),
        _ => format!("x'{}'", id.simple()),
    }
}

async fn write(app: &App, site_id: Uuid, detail: &str) {
    let state = &app.app.state;
    let transaction = db::begin(&state.db).await.unwrap();
    Entry::new(site_id, Action::ClientCreated)
        .detail(detail)
        .record(&transaction, &state.keys, app.clock.now())
        .await
        .unwrap();
    transaction.commit().await.unwrap();
}

async fn report(app: &App, site_id: Uuid) -> Report {
    let state = &app.app.state;
    audit::verify(&state.db, &state.keys, site_id, None)
        .await
        .unwrap()
}

async fn breach(app: &App, site_id: Uuid) -> Option<Breach> {
    report(app, site_id).await.breach
}

/// A site with ten lines beyond what its making wrote, and the number of the last line.
async fn ten_lines(app: &App) -> (Backend, i64) {
    let site = app.site("a.example").await;
    for number in 0..10 {
        write(app, site.site_id, &format!("line {number}")).await;
    }
    let report = report(app, site.site_id).await;
    assert_eq!(report.breach, None);
    (site, report.last.0)
}

on_each_database! {
    async fn a_changed_line_is_noticed(app: App) {
        let (site, last) = ten_lines(&app).await;
        let id = literal(&app, site.site_id);
        let changes = [
            "action = 'client_erased'", "detail = 'something else'", "network = '203.0.113.9'",
            "actor = 'operator'", "client_id = site_id", "device_id = site_id", "sign_on_id = site_id",
        ];
        for change in changes {
            let column = change.split(' ').next().unwrap();
            let before = format!("update audit_events set {column} = (select {column} from audit_events where \
                site_id = {id} and seq = {}) where site_id = {id} and seq = {}", last - 1, last - 2);
            assert_eq!(sql(&app, &format!("update audit_events set {change} where site_id = {id} and seq = {}", last - 2)).await, 1);
            assert!(matches!(breach(&app, site.site_id).await, Some(Breach::Changed(seq, _)) if seq == last - 2), "{change}");
            sql(&app, &before).await;
            if column != "detail" {
                assert_eq!(breach(&app, site.site_id).await, None, "{change}");
            } else {
                sql(&app, &format!("update audit_events set detail = 'line 7' where site_id = {id} and seq = {}", last - 2)).await;
            }
        }
        let later = "update audit_events set created_at = (select created_at from sites limit 1) where seq = 1";
        app.clock.advance(60);
        write(&app, site.site_id, "later").await;
        assert_eq!(breach(&app, site.site_id).await, None);
        sql(&app, &later.replace("seq = 1", &format!("seq = {}", last + 1))).await;
        assert!(matches!(breach(&app, site.site_id).await, Some(Breach::Changed(seq, _)) if seq == last + 1));
    }

    async fn a_removed_line_is_noticed_wherever_it_was(app: App) {
        let (site, last) = ten_lines(&app).await;
        let id = literal(&app, site.site_id);
        assert_eq!(sql(&app, &format!("delete from audit_events where site_id = {id} and seq = {}", last - 3)).await, 1);
        assert_eq!(breach(&app, site.site_id).await, Some(Breach::Missing(last - 3)));
        sql(&app, &format!("delete from audit_events where site_id = {id} and seq = 1")).await;
        assert_eq!(breach(&app, site.site_id).await, Some(Breach::Missing(1)));
    }

    async fn a_removed_end_is_noticed(app: App) {
        let (site, last) = ten_lines(&app).await;
        let id = literal(&app, site.site_id);
        assert_eq!(sql(&app, &format!("delete from audit_events where site_id = {id} and seq > {}", last - 2)).await, 2);
        assert_eq!(breach(&app, site.site_id).await, Some(Breach::Cut(last - 2, last)));
        // Also by who sets the head back to the last line that is left, and after more has been written.
        let back = format!("update audit_heads set seq = {}, mac = (select mac from audit_events where site_id = {id} \
            and seq = {}) where site_id = {id}", last - 2, last - 2);
        assert_eq!(sql(&app, &back).await, 1);
        assert_eq!(breach(&app, site.site_id).await, Some(Breach::Head));
        write(&app, site.site_id, "after").await;
        let told = breach(&app, site.site_id).await;
        assert!(matches!(told, Some(Breach::Told(seq, _)) if seq == last - 1), "{told:?}");
    }

    async fn a_log_that_is_gone_is_noticed(app: App) {
        let (site, _) = ten_lines(&app).await;
        let id = literal(&app, site.site_id);
        let state = &app.app.state;
        let known = report(&app, site.site_id).await.last;
        sql(&app, &format!("delete from audit_heads where site_id = {id}")).await;
        assert_eq!(breach(&app, site.site_id).await, Some(Breach::NoHead));
        sql(&app, &format!("delete from audit_events where site_id = {id}")).await;
        assert_eq!(breach(&app, site.site_id).await, Some(Breach::NoHead));
        // A log that begins anew looks like one, but is not the one that was known.
        audit::begin(&state.db, &state.keys, [site.site_id], app.clock.now()).await.unwrap();
        assert_eq!(breach(&app, site.site_id).await, None);
        let told = audit::verify(&state.db, &state.keys, site.site_id, Some(&known)).await.unwrap();
        assert_eq!(told.breach, Some(Breach::Cut(1, known.0)));
    }

    async fn swapped_lines_are_noticed(app: App) {
        let (site, last) = ten_lines(&app).await;
        let id = literal(&app, site.site_id);
        for (from, to) in [(last - 4, -1), (last - 3, last - 4), (-1, last - 3)] {
            let swap = format!("update audit_events set seq = {to} where site_id = {id} and seq = {from}");
            assert_eq!(sql(&app, &swap).await, 1);
        }
        assert!(matches!(breach(&app, site.site_id).await, Some(Breach::Changed(seq, _)) if seq == last - 4));
    }

    async fn an_inserted_line_is_noticed(app: App) {
        let (site, last) = ten_lines(&app).await;
        let id = literal(&app, site.site_id);
        let copy = |new: &str, seq: &str| {
            let new = literal(&app, new.parse().unwrap());
            format!("insert into audit_events (id, site_id, action, detail, network, created_at, actor, seq, mac) \
                select {new}, site_id, action, detail, network, created_at, actor, {seq}, mac from audit_events \
                where site_id = {id} and seq = {last}")
        };
        let (one, two) = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222");
        assert_eq!(sql(&app, &copy(one, "null")).await, 1);
        assert_eq!(breach(&app, site.site_id).await, Some(Breach::Inserted(one.parse().unwrap())));
        // What was put in before a server starts is not taken over: the log has begun.
        let state = &app.app.state;
        audit::begin(&state.db, &state.keys, [site.site_id], app.clock.now()).await.unwrap();
        assert!(breach(&app, site.site_id).await.is_some());
        sql(&app, "delete from audit_events where seq is null").await;
        assert_eq!(sql(&app, &copy(two, "seq + 1")).await, 1);
        assert_eq!(breach(&app, site.site_id).await, Some(Breach::Inserted(two.parse().unwrap())));
        let head = format!("update audit_heads set seq = seq + 1 where site_id = {id}");
        sql(&app, &head).await;
        assert!(matches!(breach(&app, site.site_id).await, Some(Breach::Changed(seq, _)) if seq == last + 1));
    }

    async fn a_hundred_writers_leave_one_chain(app: App) {
        let (site, last) = ten_lines(&app).await;
        let other = App::start(app.database.clone(), |_| {}).await;
        let writers = (0..100).map(|number| {
            let app = if number % 2 == 0 { &app } else { &other };
            async move { write(app, site.site_id, &format!("writer {number}")).await }
        });
        futures_util::future::join_all(writers).await;
        let report = report(&app, site.site_id).await;
        assert_eq!((report.breach, report.last.0), (None, last + 100));
    }

    async fn what_retention_removed_leaves_a_chain_that_verifies(app: App) {
        let (site, last) = ten_lines(&app).await;
        let id = literal(&app, site.site_id);
        let state = &app.app.state;
        app.clock.advance(1000);
        for number in 0..5 {
            write(&app, site.site_id, &format!("new {number}")).await;
        }
        let before = app.clock.now() - chrono::TimeDelta::seconds(500);
        let known = report(&app, site.site_id).await.last;
        let prune = async || audit::prune(&state.db, &state.keys, site.site_id, before).await.unwrap();
        assert_eq!(prune().await, Pruned::Lines(u64::try_from(last).unwrap()));
        assert_eq!(prune().await, Pruned::Lines(0));
        let after = audit::verify(&state.db, &state.keys, site.site_id, Some(&known)).await.unwrap();
        assert_eq!((&after.breach, after.pruned, after.lines), (&None, last, 5));
        // Who removes more and says that it was retention is noticed.
        sql(&app, &format!("delete from audit_events where site_id = {id} and seq = {}", last + 1)).await;
        assert_eq!(breach(&app, site.site_id).await, Some(Breach::Missing(last + 1)));
        sql(&app, &format!("update audit_heads set pruned_seq = {} where site_id = {id}", last + 1)).await;
        assert!(breach(&app, site.site_id).await.is_some());
    }

    async fn lines_made_to_look_old_are_not_pruned(app: App) {
        let (site, last) = ten_lines(&app).await;
        let state = &app.app.state;
        app.clock.advance(-1_000_000);
        let old = Statement::from_sql_and_values(
            state.db.get_database_backend(), "update audit_events set created_at = $1", [app.clock.now().into()],
        );
        state.db.execute_raw(old).await.unwrap();
        app.clock.advance(1_000_000);
        let before = app.clock.now() - chrono::TimeDelta::seconds(500);
        assert_eq!(audit::prune(&state.db, &state.keys, site.site_id, before).await.unwrap(), Pruned::Broken);
        assert!(count(&app, "select count(*) as n from audit_events").await >= last);
    }

    /// Rows of the version before the chain have neither number nor hash.
    async fn lines_of_before_are_taken_over_once(app: App) {
        let (site, last) = ten_lines(&app).await;
        let state = &app.app.state;
        let id = literal(&app, site.site_id);
        sql(&app, &format!("delete from audit_heads where site_id = {id}")).await;
        sql(&app, "update audit_events set seq = null, mac = null").await;
        let begin = async || audit::begin(&state.db, &state.keys, [site.site_id], app.clock.now()).await.unwrap();
        begin().await;
        begin().await;
        write(&app, site.site_id, "new").await;
        let report = report(&app, site.site_id).await;
        assert_eq!((report.breach, report.last.0), (None, last + 2));
        let begun = format!("select count(*) as n from audit_events where seq = 1 and action = 'log_begun' and \
            detail = '{last} line(s) of before were taken over'");
        assert_eq!(count(&app, &begun).await, 1);
    }

    async fn another_installations_key_verifies_nothing(app: App) {
        let (site, _) = ten_lines(&app).await;
        let folder = tempfile::tempdir().unwrap();
        let database = std::sync::Arc::new(testkit::Database::create(testkit::Engine::Sqlite).await.unwrap());
        let other = App::start(database, |settings| settings.data_dir = folder.path().to_owned()).await;
        let told = audit::verify(&app.app.state.db, &other.app.state.keys, site.site_id, None).await.unwrap();
        assert!(matches!(told.breach, Some(Breach::Changed(1, _))), "{told:?}");
    }

    async fn the_command_line_verifies_and_exports(app: App) {
        let (site, last) = ten_lines(&app).await;
        let state = &app.app.state;
        audit::begin(&state.db, &state.keys, [audit::INSTALLATION], app.clock.now()).await.unwrap();
        let axiam = |arguments: &[&str]| {
            let done = std::process::Command::new(env!("CARGO_BIN_EXE_axiam"))
                .env("AXIAM_DATABASE_URL", &app.database.url)
                .arg("--data-dir").arg(app.database.folder())
                .arg("audit").args(arguments)
                .output().unwrap();
            (done.status.code(), String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap())
        };
        let (code, said, errors) = axiam(&["verify"]);
        assert_eq!(code, Some(0), "{said}{errors}");
        assert!(said.contains(&format!("intact: {last} line(s)")), "{said}");
        let (_, known, _) = axiam(&["verify", "--json"]);
        let file = app.database.folder().join("known.json");
        std::fs::write(&file, known).unwrap();
        let with_known = ["verify", "--known", file.to_str().unwrap()];
        write(&app, site.site_id, "=1+1, \"a\"").await;
        assert_eq!(axiam(&with_known).0, Some(0));
        let (_, lines, _) = axiam(&["export", "--site", &site.site_id.to_string()]);
        let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), usize::try_from(last + 1).unwrap());
        assert_eq!((&lines[0]["line"], &lines[0]["site_id"]), (&serde_json::json!(1), &serde_json::json!(site.site_id)));
        let (_, table, _) = axiam(&["export", "--format", "csv"]);
        assert!(table.starts_with("site_id,line,created_at,action"), "{table}");
        assert!(table.contains(",\"'=1+1, \"\"a\"\"\","), "{table}");
        let id = literal(&app, site.site_id);
        sql(&app, &format!("update audit_events set detail = 'x' where site_id = {id} and seq = {}", last - 1)).await;
        let (code, said, errors) = axiam(&["verify"]);
        assert_eq!(code, Some(1), "{said}{errors}");
        let (first, wrong) = (format!("BROKEN after {} good line(s)", last - 2), format!("line {} (", last - 1));
        assert!(said.contains(&first) && said.contains(&wrong), "{said}");
        assert!(errors.contains("1 of 2 log(s) are broken"), "{errors}");
        // The whole log is gone, head and all: who kept a report knows.
        sql(&app, "delete from audit_events").await;
        sql(&app, "delete from audit_heads").await;
        let all = [audit::INSTALLATION, site.site_id];
        audit::begin(&state.db, &state.keys, all, app.clock.now()).await.unwrap();
        assert_eq!((axiam(&["verify"]).0, axiam(&with_known).0), (Some(0), Some(1)));
    }

    async fn a_line_says_who_and_from_where(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        site.push(ann.client_id).await;
        ann.phone.deny(ann.waiting().await, false).await.unwrap();
        let said = async |action: &str, actor: &str| {
            let query = format!("select count(*) as n from audit_events where action = '{action}' and \
                actor like '{actor}' and network = '127.0.0.1'");
            count(&app, &query).await
        };
        assert_eq!(said("client_created", "backend").await, 1);
        assert_eq!(said("device_registered", "stranger").await, 1);
        assert_eq!(said("face_enrolled", "device %").await, 1);
        assert_eq!(said("sign_on_denied", "device %").await, 1);
        site.push(ann.client_id).await;
        app.clock.advance(601);
        app.app.sweep().await.unwrap();
        assert_eq!(count(&app, "select count(*) as n from audit_events where action = 'sign_on_expired' and actor = 'server' and network = ''").await, 1);
        assert_eq!(breach(&app, site.site_id).await, None);
    }
}
