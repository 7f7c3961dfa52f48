//! The command line, as a person meets it. The journeys are walked by it in `web/e2e`.

use std::{
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

fn axiam(data: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_axiam"))
        .env_remove("AXIAM_DATABASE_URL")
        .arg("--data-dir")
        .arg(data)
        .args(arguments)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

#[test]
fn a_site_is_created_listed_and_set() {
    let data = tempfile::tempdir().unwrap();
    let empty = axiam(data.path(), &["site", "list"]);
    assert!(
        text(&empty).contains("axiam site create"),
        "{}",
        text(&empty)
    );
    let url = "https://Example.com:8443/path";
    let created = axiam(data.path(), &["site", "create", "--url", url, "--json"]);
    let site: Value = serde_json::from_slice(&created.stdout).unwrap();
    assert_eq!(site["domain"], "example.com");
    assert!(site["channel_prefix"].as_str().unwrap().starts_with("ch_"));
    let id = site["site_id"].as_str().unwrap();
    let set = axiam(data.path(), &["site", "set", id, "liveness=off", "tries=5"]);
    assert_eq!(
        serde_json::from_slice::<Value>(&set.stdout).unwrap()["tries"],
        5
    );
    let listed = axiam(data.path(), &["site", "list", "--json"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed[0]["settings"]["tries"], 5);
    assert!(!listed.to_string().contains("sk_"));
}

#[test]
fn what_is_wrong_is_said_and_nothing_is_changed() {
    let data = tempfile::tempdir().unwrap();
    for (arguments, words) in [
        (vec!["site", "create", "--url", "co.uk"], "public suffix"),
        (
            vec![
                "site",
                "set",
                "00000000-0000-0000-0000-000000000000",
                "tries=2",
            ],
            "there is no site",
        ),
        (vec!["phone", "pending"], "pair one"),
        (
            vec!["phone", "pair", "https://example.com/nothing"],
            "neither an enrolment link nor a token",
        ),
        (vec!["--config", "/nowhere.toml", "migrate"], "nowhere.toml"),
        (vec!["serve", "--listen", "everywhere"], "server.listen"),
    ] {
        let output = axiam(data.path(), &arguments);
        assert!(!output.status.success());
        assert!(
            text(&output).contains(words),
            "{arguments:?}: {}",
            text(&output)
        );
    }
    let created = axiam(
        data.path(),
        &["site", "create", "--url", "example.com", "--json"],
    );
    let site: Value = serde_json::from_slice(&created.stdout).unwrap();
    let id = site["site_id"].as_str().unwrap();
    let half = axiam(data.path(), &["site", "set", id, "tries=5", "colour=red"]);
    assert!(!half.status.success());
    let listed = axiam(data.path(), &["site", "list", "--json"]);
    assert!(text(&listed).contains("\"tries\": 3"), "{}", text(&listed));
}

#[test]
fn doctor_names_what_is_missing_and_what_to_do() {
    let data = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_axiam"))
        .args(["--data-dir"])
        .arg(data.path())
        .args(["doctor"])
        .env("AXIAM_FACE_PACK", data.path().join("nothing"))
        .env("AXIAM_DATABASE_URL", "postgres://127.0.0.1:1/none")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = text(&output);
    let refused = "cannot reach PostgreSQL at 127.0.0.1:1: connection refused";
    for words in ["make models", refused, "2 things are wrong"] {
        assert!(said.contains(words), "{words} not in {said}");
    }
}

#[test]
fn doctor_is_content_with_a_fresh_installation() {
    let data = tempfile::tempdir().unwrap();
    assert!(axiam(data.path(), &["migrate"]).status.success());
    let output = axiam(data.path(), &["doctor"]);
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn doctor_reminds_of_a_secret_key_that_is_about_to_end() {
    let data = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| text(&axiam(data.path(), arguments));
    let created = run(&["site", "create", "--url", "https://a.example", "--json"]);
    let site: Value = serde_json::from_str(&created).unwrap();
    let id = site["site_id"].as_str().unwrap();
    let rotate = |days| {
        let words = [
            "site",
            "rotate-secret",
            id,
            "--overlap",
            "0",
            "--days",
            days,
        ];
        assert!(run(&words).contains("sk_"));
    };
    rotate("15");
    let said = run(&["doctor"]);
    assert!(!said.contains("secret key"), "{said}");
    rotate("13");
    let said = run(&["doctor"]);
    assert!(
        said.contains("a.example: its last secret key ends"),
        "{said}"
    );
    let listed: Value = serde_json::from_str(&run(&["site", "secrets", id, "--json"])).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    run(&[
        "site",
        "revoke-secret",
        id,
        listed[0]["name"].as_str().unwrap(),
    ]);
    let said = run(&["doctor"]);
    assert!(said.contains("a.example: it has no secret key"), "{said}");
}

#[tokio::test]
async fn doctor_tells_a_database_that_is_older_or_newer_than_the_program() {
    use sea_orm::ConnectionTrait;
    let data = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/axiam.db", data.path().display());
    let db = server::platform::db::open(&url, 1).await.unwrap();
    let said = axiam(data.path(), &["doctor"]);
    assert!(said.status.success(), "{}", text(&said));
    assert!(
        text(&said).contains("migration(s) pending"),
        "{}",
        text(&said)
    );
    server::platform::db::migrate(&db).await.unwrap();
    assert!(!text(&axiam(data.path(), &["doctor"])).contains("pending"));
    let later = "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
                 values (9999, 'later', true, x'00', 0)";
    db.execute_unprepared(later).await.unwrap();
    // The program does not start on it either, and says the same.
    for command in ["doctor", "migrate"] {
        let said = axiam(data.path(), &[command]);
        assert!(!said.status.success());
        let words = "by a newer axiam (migration 9999";
        assert!(text(&said).contains(words), "{}", text(&said));
    }
}

#[test]
fn doctor_tells_a_folder_that_is_none_and_an_address_that_is_nowhere() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("file");
    std::fs::write(&file, "").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_axiam"))
        .arg("--data-dir")
        .arg(&file)
        .arg("doctor")
        .env("AXIAM_SERVER_PUBLIC_URL", "https://signin.invalid")
        .output()
        .unwrap();
    assert!(!output.status.success());
    for words in ["cannot be written to", "does not know signin.invalid"] {
        assert!(text(&output).contains(words), "{}", text(&output));
    }
}

#[test]
fn keys_without_their_master_are_missing_and_nothing_new_is_written() {
    let data = tempfile::tempdir().unwrap();
    let master = data.path().join("master.key");
    // Any command that opens the keys makes them.
    assert!(axiam(data.path(), &["keys", "rotate"]).status.success());
    let kept = std::fs::read(&master).unwrap();
    std::fs::remove_file(&master).unwrap();
    for command in [&["keys", "rotate"][..], &["doctor"]] {
        let output = axiam(data.path(), command);
        assert!(!output.status.success());
        assert!(text(&output).contains("is missing"), "{}", text(&output));
        assert!(!master.exists());
    }
    std::fs::write(&master, kept).unwrap();
    use std::os::unix::fs::PermissionsExt;
    for (mode, starts) in [(0o644, false), (0o600, true)] {
        std::fs::set_permissions(&master, std::fs::Permissions::from_mode(mode)).unwrap();
        let output = axiam(data.path(), &["keys", "rotate"]);
        assert_eq!(output.status.success(), starts, "{}", text(&output));
    }
}

#[test]
fn plain_http_beyond_this_machine_is_refused_unless_asked_for() {
    let data = tempfile::tempdir().unwrap();
    let serve = |url: &str, arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_axiam"))
            .env_remove("AXIAM_DATABASE_URL")
            .env("AXIAM_SERVER_PUBLIC_URL", url)
            // No pack: what is let pass stops there.
            .env("AXIAM_FACE_PACK", data.path().join("nothing"))
            .arg("--data-dir")
            .arg(data.path())
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(!output.status.success());
        text(&output)
    };
    for url in [
        "http://signin.example.com",
        "http://192.0.2.7:3000",
        "http://localhost.example.com",
    ] {
        let said = serve(url, &[]);
        assert!(said.contains(url) && said.contains("--insecure"), "{said}");
        let said = serve(url, &["--insecure"]);
        assert!(!said.contains("--insecure"), "{said}");
    }
    for url in [
        "https://signin.example.com",
        "http://localhost:3000",
        "http://[::1]:3000",
        "http://127.0.0.1",
    ] {
        let said = serve(url, &[]);
        assert!(!said.contains("--insecure"), "{said}");
    }
}

#[test]
fn a_pipe_that_nobody_reads_ends_no_command() {
    let data = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_axiam"))
        .arg("--data-dir")
        .arg(data.path())
        .arg("openapi")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn an_unknown_variable_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_axiam"))
        .arg("--data-dir")
        .arg(data.path())
        .arg("migrate")
        .env("AXIAM_LISTEN", "127.0.0.1:1")
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(text(&output).contains("AXIAM_LISTEN: there is no such setting"));
}

#[test]
fn test_mode_is_switched_on_and_off_by_name() {
    let data = tempfile::tempdir().unwrap();
    let arguments = ["site", "create", "--url", "example.com", "--json", "--test"];
    let created = axiam(data.path(), &arguments);
    let site: Value = serde_json::from_slice(&created.stdout).unwrap();
    assert_eq!(site["test_mode"], true);
    let id = site["site_id"].as_str().unwrap();
    for (mode, words, listed) in [
        ("off", "is live", "\"test_mode\": false"),
        ("on", "approve@example.test", "\"test_mode\": true"),
    ] {
        let said = text(&axiam(data.path(), &["site", "test-mode", id, mode]));
        assert!(said.contains(words), "{said}");
        let shown = text(&axiam(data.path(), &["site", "list", "--json"]));
        assert!(shown.contains(listed), "{shown}");
    }
    assert!(
        !axiam(data.path(), &["site", "test-mode", id, "maybe"])
            .status
            .success()
    );
}
