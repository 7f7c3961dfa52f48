//! A disk without room: the program says so, loses nothing, and goes on when there is room again.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::{Value, json};
use server::platform::db;
use testkit::{Answer, App, on_each_database};

use crate::served::{Served, is_root};

on_each_database! {
    async fn what_a_database_says_of_a_full_disk_is_understood(app: App) {
        let site = app.site("a.example").await;
        let database = &app.app.state.db;
        if database.get_database_backend() == DbBackend::Postgres {
            let say = "do $$ begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$";
            let error = database.execute_unprepared(say).await.unwrap_err();
            assert!(db::is_full(&error), "{error}");
            let other = database.execute_unprepared("select 1 / 0").await.unwrap_err();
            assert!(!db::is_full(&other));
            let ready = Answer::to(reqwest::Client::new().get(format!("{}/health/ready", app.url))).await;
            assert_eq!(ready.status, 200);
            let left = database.execute_unprepared("select * from axiam_room").await;
            assert!(left.is_err(), "what was tried is left");
            return;
        }
        // The same code that SQLite gives where the disk is full: no file may grow.
        let pool = database.get_sqlite_connection_pool();
        let mut held = Vec::new();
        for _ in 0..4 {
            let mut connection = pool.acquire().await.unwrap();
            sqlx::query("pragma max_page_count = 1").execute(&mut *connection).await.unwrap();
            held.push(connection);
        }
        drop(held);
        let ready = Answer::to(reqwest::Client::new().get(format!("{}/health/ready", app.url))).await;
        assert_eq!((ready.status, ready.code(), ready.retry_after), (503, 5003, Some(5)));
        assert!(ready.body["message"].as_str().unwrap().contains("disk is full"), "{}", ready.body);
        let mut refused = None;
        for number in 0..2000 {
            let body = json!({ "email": format!("ann{number}@example.com"), "full_name": "A".repeat(200) });
            let answer = site.post("/client/create", &body).await;
            if answer.code() != 0 {
                refused = Some(answer);
                break;
            }
        }
        let refused = refused.expect("a file that may not grow takes no more");
        assert_eq!((refused.status, refused.code(), refused.retry_after), (503, 5003, Some(5)));
        let live = reqwest::get(format!("{}/health/live", app.url)).await.unwrap();
        assert_eq!(live.status(), 200);
    }
}

/// Starts the program on a disk of so many megabytes that it alone sees, if the system lets us; with a
/// site, which is written beside the disk.
fn on_a_small_disk(data: &Path, megabytes: u32) -> Option<Served> {
    let mount = format!("mount -t tmpfs -o size={megabytes}m tmpfs \"$1\"");
    let unshare = || {
        let mut command = Command::new("unshare");
        if !is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        command.args(["--mount", "sh", "-c"]);
        command
    };
    let may = unshare()
        .arg(&mount)
        .arg("sh")
        .arg(data)
        .stderr(Stdio::null())
        .status();
    if !may.is_ok_and(|status| status.success()) {
        testkit::skipped("a full disk of its own: no file system may be mounted here");
        return None;
    }
    let log = data.with_extension("log");
    Some(Served::start_in(data, |command| {
        let mut small = unshare();
        small
            .arg(format!(
                "{mount} && \"$3\" --data-dir \"$1\" site create --url https://a.example --json >\"$2\" && \
                 shift 2 && exec \"$@\""
            ))
            .arg("sh")
            .arg(data)
            .arg(data.with_extension("site"))
            .arg(command.get_program())
            .args(command.get_args())
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env_remove("AXIAM_DATABASE_URL")
            .env_remove("AXIAM_REDIS_URL")
            .current_dir(command.get_current_dir().unwrap())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log).unwrap());
        *command = small;
    }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_and_forgotten_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let Some(mut served) = on_a_small_disk(&data, 32) else {
        return;
    };
    // The same folder, as the program sees it.
    let inside = Path::new("/proc").join(served.child.id().to_string());
    let inside = inside.join("root").join(data.strip_prefix("/").unwrap());
    let site = fs::read(data.with_extension("site")).unwrap();
    let site: Value = serde_json::from_slice(&site).unwrap();
    let http = reqwest::Client::new();
    let url = served.url.clone();
    let post = async |path: &str, token: &str, body: Value| {
        let request = http.post(format!("{url}/api/v1/facial_sign_on{path}"));
        Answer::to(request.bearer_auth(token).json(&body)).await
    };
    let ready = async || {
        http.get(format!("{url}/health/ready"))
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    let keys = json!({ "api_key": site["api_key"], "secret_key": site["secret_key"] });
    let token = post("/application_auth", "", keys)
        .await
        .text("authenticated_token");
    let create = async |number: u32| {
        let body =
            json!({ "email": format!("ann{number}@example.com"), "full_name": "A".repeat(200) });
        post("/client/create", &token, body).await
    };
    assert_eq!((create(0).await.code(), ready().await), (0, 200));

    let filler = inside.join("filler");
    let mut file = fs::File::create(&filler).unwrap();
    while file.write_all(&[1; 4096]).is_ok() {}
    drop(file);
    let mut number = 1;
    let refused = loop {
        let answer = create(number).await;
        if answer.code() != 0 {
            break answer;
        }
        number += 1;
        assert!(number < 5000, "the disk is never full");
    };
    assert_eq!(
        (refused.status, refused.code(), refused.retry_after),
        (503, 5003, Some(5))
    );
    // What was found out before the disk was full is good for five seconds.
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while ready().await != 503 {
        assert!(std::time::Instant::now() < end, "a full disk is not told");
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    }
    fs::remove_file(&filler).unwrap();
    assert_eq!(create(number).await.code(), 0);
    while ready().await != 200 {
        assert!(
            std::time::Instant::now() < end,
            "that there is room again is not told"
        );
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    }
    // Whoever was told to be known is.
    let known = json!({ "email": format!("ann{}@example.com", number - 1) });
    assert_eq!(post("/login/lookup_client", &token, known).await.code(), 0);
    assert!(served.stop().success());
}
