//! What works at first and not later, or not for everyone: each gets a sentence, in the log and by doctor.

use std::{
    env, fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use phone::{Key, Request, content_digest};
use redis::aio::MultiplexedConnection;
use testkit::{Answer, Page};

use crate::served::{Served, axiam, is_root, until};

/// What doctor says, and whether it is content.
fn doctor(data: &Path, variables: &[(&str, &str)]) -> (bool, String) {
    let output = axiam(data)
        .arg("doctor")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_was_forgotten_is_named_once_and_by_doctor() {
    let served = Served::start(|_| {});
    let path = "/api/v1/facial_sign_on/device/register";
    let called = "https://signin.example.com";
    for _ in 0..2 {
        let body =
            br#"{"enrollment_token":"et_x","name":"n","platform":"web","push":{"kind":"none"}}"#;
        let request = Request {
            method: "POST",
            url: &format!("{called}{path}"),
            token: None,
            body,
            at: phone::Clock::now(&phone::SystemClock),
        };
        let request = reqwest::Client::new()
            .post(format!("{}{path}", served.url))
            .header("DPoP", Key::generate().prove(&request).unwrap())
            .header("Content-Digest", content_digest(body))
            .body(body.to_vec());
        let answer = Answer::to(request).await;
        assert_eq!(answer.code(), 1050);
        assert!(
            answer.body["message"].as_str().unwrap().contains(called),
            "{}",
            answer.body
        );
    }
    let words = "set server.public_url to that";
    assert!(served.logged(words));
    let log = fs::read_to_string(&served.log).unwrap();
    assert_eq!(log.matches(words).count(), 1, "{log}");
    let (_, said) = doctor(&served.data, &[]);
    assert!(
        said.contains(&format!("a phone signed a request for {called}")),
        "{said}"
    );
    // Once it is set there is nothing to say.
    let (_, said) = doctor(&served.data, &[("AXIAM_SERVER_PUBLIC_URL", called)]);
    assert!(!said.contains("a phone signed"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_in_pages_and_proofs_that_nobody_redeems_are_told() {
    let served = Served::start(|_| {});
    let create = [
        "site",
        "create",
        "--url",
        "https://a.example",
        "--test",
        "--json",
    ];
    let created = axiam(&served.data).args(create).output().unwrap().stdout;
    let site: serde_json::Value = serde_json::from_slice(&created).unwrap();
    let http = reqwest::Client::new();
    let post = async |path: &str, token: &str, origin: Option<&str>, body: serde_json::Value| {
        let url = format!("{}/api/v1/facial_sign_on{path}", served.url);
        let mut request = http.post(url).bearer_auth(token).json(&body);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        Answer::to(request).await
    };
    let keys = serde_json::json!({ "api_key": site["api_key"], "secret_key": site["secret_key"] });
    let token = post("/application_auth", "", None, keys).await;
    let token = token.text("authenticated_token");
    let (_, said) = doctor(&served.data, &[]);
    assert!(
        !said.contains("browsers sent") && !said.contains("0 redeemed"),
        "{said}"
    );

    let approve = || serde_json::json!({ "email": "approve@example.test" });
    let in_page = post(
        "/client/send_push",
        &token,
        Some("https://a.example"),
        approve(),
    )
    .await;
    assert_eq!(in_page.code(), 1010);
    for _ in 0..3 {
        let pushed = post("/client/send_push", &token, None, approve()).await;
        let verification = pushed.text("verification_token");
        let mut page = Page::connect(&served.url, None).await;
        page.watch(&verification).await;
        while page.message().await["status"] != "verified" {}
    }
    let (_, said) = doctor(&served.data, &[]);
    assert!(
        said.contains("a.example: browsers sent the site's token"),
        "{said}"
    );
    assert!(
        said.contains("a.example: 3 sign-ons verified in a week, 0 redeemed"),
        "{said}"
    );
}

/// A program that is stopped with the test.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn answers(port: u16) -> bool {
    until(|| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok())
}

fn redis_url() -> Option<String> {
    let url = env::var("AXIAM_TEST_REDIS_URL").ok();
    if url.is_none() {
        testkit::skipped("Redis; `make test` starts one");
    }
    url
}

async fn admin(url: &str) -> MultiplexedConnection {
    let client = redis::Client::open(url).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_of_redis_without_rights_is_told_what_it_lacks() {
    let Some(url) = redis_url() else { return };
    let data = tempfile::tempdir().unwrap();
    let mut admin = admin(&url).await;
    let name = format!("test-{}", uuid::Uuid::new_v4().simple());
    let theirs = url.replace("redis://", &format!("redis://{name}:pw@"));
    let settings = [
        ("AXIAM_REDIS_URL", theirs.as_str()),
        ("AXIAM_REDIS_PREFIX", name.as_str()),
    ];
    let keys = format!("~{name}:*");
    let channels = format!("&{name}:*");
    let enough = ["+@all", "-@admin", "-@dangerous", "+info"];
    let cases: [(&[&str], bool, &str); 6] = [
        (&[&keys, "&*", "+@all"], true, "ok     redis"),
        // What the sentence names is enough, but for users of sites' backends.
        (
            &[&[keys.as_str(), &channels], &enough[..]].concat(),
            true,
            "acl|setuser",
        ),
        (
            &[&keys, "&*", "+@all", "-xadd"],
            false,
            "may not do what is needed",
        ),
        (&[&keys, "&*", "+@all", "-subscribe"], false, "'subscribe'"),
        (&[&keys, "resetchannels", "+@all"], false, "channels"),
        (&["~other:*", "&*", "+@all"], false, "keys"),
    ];
    for (rules, fine, words) in cases {
        let mut command = redis::cmd("ACL");
        command
            .arg("SETUSER")
            .arg(&name)
            .arg(&["reset", "on", ">pw"])
            .arg(rules);
        let () = command.query_async(&mut admin).await.unwrap();
        let (content, said) = doctor(data.path(), &settings);
        assert!(content == fine && said.contains(words), "{rules:?}: {said}");
    }
    // The last one cannot serve either, and says the same.
    let output = axiam(data.path())
        .args(["serve", "--listen", "127.0.0.1:0"])
        .envs(settings)
        .output();
    let said = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(
        said.contains("its user may not do what is needed") && !said.contains("is running"),
        "{said}"
    );
    // Nothing was left of what was tried.
    let left: Vec<String> = redis::cmd("KEYS")
        .arg(format!("{name}:check:*"))
        .query_async(&mut admin)
        .await
        .unwrap();
    assert!(left.is_empty(), "{left:?}");
    let _: u64 = redis::cmd("ACL")
        .arg("DELUSER")
        .arg(&name)
        .query_async(&mut admin)
        .await
        .unwrap();
}

#[test]
fn a_sentinel_is_no_redis() {
    let Some(redis) = program("redis-server") else {
        return testkit::skipped("Sentinel; there is no redis-server");
    };
    let folder = tempfile::tempdir().unwrap();
    let (port, file) = (free_port(), folder.path().join("sentinel.conf"));
    fs::write(&file, format!("port {port}\nbind 127.0.0.1\n")).unwrap();
    let mut command = Command::new(redis);
    command
        .arg(&file)
        .arg("--sentinel")
        .current_dir(&folder)
        .stdout(Stdio::null());
    let _sentinel = Stopped(command.spawn().unwrap());
    assert!(answers(port));
    let url = format!("redis://127.0.0.1:{port}");
    let (content, said) = doctor(folder.path(), &[("AXIAM_REDIS_URL", &url)]);
    assert!(!content && said.contains("runs as sentinel"), "{said}");
}

/// PgBouncer between here and the tests' PostgreSQL.
fn pooler(folder: &Path, mode: &str, more: &str) -> Option<(Stopped, String)> {
    let Ok(postgres) = env::var("AXIAM_TEST_POSTGRES_URL") else {
        testkit::skipped("PostgreSQL; `make test` starts one");
        return None;
    };
    let Some(pgbouncer) = program("pgbouncer") else {
        testkit::skipped("PgBouncer, which is not installed");
        return None;
    };
    let server = url::Url::parse(&postgres).unwrap();
    let (port, file) = (free_port(), folder.join("pgbouncer.ini"));
    let text = format!(
        "[databases]\naxiam = host={} port={} dbname=axiam user=axiam\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
         listen_port = {port}\nunix_socket_dir =\npool_mode = {mode}\n{more}\n",
        server.host_str().unwrap(),
        server.port().unwrap(),
    );
    fs::write(&file, text).unwrap();
    // It refuses to be root, and must read the file as somebody else.
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(pgbouncer);
    command
        .arg("-q")
        .args(if is_root() {
            &["-u", "nobody"][..]
        } else {
            &[]
        })
        .arg(&file)
        .stderr(Stdio::null());
    let running = Stopped(command.spawn().unwrap());
    assert!(answers(port), "PgBouncer does not start");
    Some((running, format!("postgres://axiam@127.0.0.1:{port}/axiam")))
}

#[test]
fn a_pooler_that_lends_sessions_is_refused_and_one_that_gives_them_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let knows = "auth_type = any\nignore_startup_parameters = extra_float_digits";
    for (mode, more, words) in [
        (
            "transaction",
            knows,
            "a pooler in transaction mode answers at 127.0.0.1:",
        ),
        (
            "statement",
            knows,
            "a pooler in transaction mode answers at 127.0.0.1:",
        ),
        (
            "session",
            "auth_type = any",
            "name that parameter in ignore_startup_parameters",
        ),
        ("session", knows, ""),
    ] {
        let Some((_running, url)) = pooler(folder.path(), mode, more) else {
            return;
        };
        let data = tempfile::tempdir().unwrap();
        let settings = [("AXIAM_DATABASE_URL", url.as_str())];
        let (content, said) = doctor(data.path(), &settings);
        assert_eq!(content, words.is_empty(), "{mode}: {said}");
        assert!(said.contains(words), "{mode}: {said}");
        if !words.is_empty() {
            let output = axiam(data.path())
                .arg("migrate")
                .envs(settings)
                .output()
                .unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(said.contains(words), "{mode}: {said}");
        }
    }
}

/// A password is what PgBouncer asks for: the tests' PostgreSQL asks for none.
#[test]
fn a_password_may_have_any_character() {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users");
    fs::write(&users, "\"axiam\" \"p@s/s#w?r:d %41&\"\n").unwrap();
    let asks = format!(
        "ignore_startup_parameters = extra_float_digits\nauth_type = plain\nauth_file = {}",
        users.display()
    );
    let Some((_running, url)) = pooler(folder.path(), "session", &asks) else {
        return;
    };
    for (password, content) in [
        ("p%40s%2Fs%23w%3Fr%3Ad%20%2541%26", true),
        ("p@s%2Fs%23w%3Fr:d %2541&", true),
        ("another", false),
    ] {
        let url = url.replace("axiam@", &format!("axiam:{password}@"));
        let data = tempfile::tempdir().unwrap();
        let (found, said) = doctor(data.path(), &[("AXIAM_DATABASE_URL", &url)]);
        assert_eq!(found, content, "{password}: {said}");
        assert!(!said.contains(password), "{said}");
    }
}
