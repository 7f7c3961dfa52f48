//! Where the program listens, and how servers follow one another.

use std::{
    fs,
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use phone::{Phone, SystemClock};

use crate::served::{Served, axiam, until};

/// The answer to a request on a connection of whatever kind.
fn ask(mut stream: impl Read + Write, path: &str, headers: &str) -> String {
    let head = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// What the program says when it does not start.
fn refusal(data: &Path, listen: &str) -> String {
    let output = axiam(data)
        .args(["serve", "--listen", listen])
        .env("AXIAM_SERVER_PUBLIC_URL", "https://signin.example.com")
        .output()
        .unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_name_is_resolved_and_the_chosen_port_is_printed() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start_in(data.path(), |command| {
        command.args(["serve", "--listen", "localhost:0"]);
    });
    let address = served.url.strip_prefix("http://").unwrap();
    assert!(!address.ends_with(":0"), "{address}");
    let stream = TcpStream::connect(address).unwrap();
    assert!(ask(stream, "/health/live", "").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_unix_socket_is_served_and_gone_with_the_server() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("axiam.sock");
    let listen = format!("unix:{}", path.display());
    let start = || {
        Served::start_in(data.path(), |command| {
            command
                .args(["serve", "--listen", &listen])
                .env("AXIAM_SERVER_PUBLIC_URL", "https://signin.example.com")
                .env("AXIAM_LIMITS_AUTH_PER_IP", "1");
        })
    };
    let mut served = start();
    assert_eq!(served.url, "https://signin.example.com");
    let connect = || UnixStream::connect(&path).unwrap();
    assert!(ask(connect(), "/health/ready", "").starts_with("HTTP/1.1 200"));
    let told = refusal(&data.path().join("other"), &listen);
    assert!(told.contains("another server answers there"), "{told}");
    // Killed, it leaves its socket, which the next one replaces; asked to stop, it takes it along.
    served.child.kill().unwrap();
    served.child.wait().unwrap();
    assert!(path.exists());
    let mut served = start();
    assert!(ask(connect(), "/health/live", "").starts_with("HTTP/1.1 200"));
    assert!(served.stop().success());
    assert!(!path.exists());
}

#[test]
fn behind_a_unix_socket_people_are_told_apart_by_what_the_proxy_says() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("axiam.sock");
    let served = Served::start_in(data.path(), |command| {
        command
            .args(["serve", "--listen", &format!("unix:{}", path.display())])
            .env("AXIAM_SERVER_PUBLIC_URL", "https://signin.example.com")
            .env("AXIAM_LIMITS_AUTH_PER_IP", "1");
    });
    let body = r#"{"api_key":"a","secret_key":"b"}"#;
    for (forwarded, status) in [
        ("X-Forwarded-For: 203.0.113.1\r\n", 401),
        ("X-Forwarded-For: 6.6.6.6, 203.0.113.1\r\n", 429),
        ("X-Forwarded-For: 203.0.113.2\r\n", 401),
        ("", 401),
        ("", 429),
    ] {
        let mut stream = UnixStream::connect(&path).unwrap();
        let request = format!(
            "POST /api/v1/facial_sign_on/application_auth HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
             Content-Length: {}\r\n{forwarded}\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let expected = format!("HTTP/1.1 {status}");
        assert!(answer.starts_with(&expected), "{forwarded}{answer}");
    }
    drop(served);
}

/// Starts a server on a socket that somebody else holds, as systemd does (sd_listen_fds(3)).
fn activated(data: &Path, socket: &TcpListener) -> Served {
    let held: OwnedFd = socket.try_clone().unwrap().into();
    Served::start_in(data, |command| {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 </dev/null"])
            .arg(command.get_program())
            .args(command.get_args())
            .arg("serve")
            .envs(
                command
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .env_remove("AXIAM_DATABASE_URL")
            .env_remove("AXIAM_REDIS_URL")
            .env("LISTEN_FDS", "1")
            .current_dir(command.get_current_dir().unwrap())
            .stdin(Stdio::from(held))
            .stdout(Stdio::piped())
            .stderr(fs::File::create(data.join("log")).unwrap());
        *command = shell;
    })
}

#[test]
fn who_calls_between_two_servers_is_answered_by_the_second() {
    let data = tempfile::tempdir().unwrap();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let mut first = activated(data.path(), &socket);
    assert_eq!(first.url, format!("http://{address}"));
    let live = ask(TcpStream::connect(address).unwrap(), "/health/live", "");
    assert!(live.starts_with("HTTP/1.1 200"), "{live}");
    assert!(first.stop().success());
    let mut waiting = TcpStream::connect(address).unwrap();
    waiting
        .write_all(b"GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .unwrap();
    let _second = activated(data.path(), &socket);
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn with_nowhere_to_write_a_server_serves_and_stops() {
    if !Path::new("/dev/full").exists() {
        return testkit::skipped("a log that is full: there is no /dev/full");
    }
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("axiam.sock");
    let full = || {
        fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap()
    };
    let mut child = axiam(data.path())
        .args(["serve", "--listen", &format!("unix:{}", path.display())])
        .env("AXIAM_SERVER_PUBLIC_URL", "https://signin.example.com")
        .env("AXIAM_LOG_LEVEL", "debug")
        .stdout(full())
        .stderr(full())
        .spawn()
        .unwrap();
    assert!(until(|| UnixStream::connect(&path).is_ok()));
    for _ in 0..20 {
        let answer = ask(UnixStream::connect(&path).unwrap(), "/nothing", "");
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    }
    assert!(child.try_wait().unwrap().is_none());
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-s", "TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    assert!(child.wait().unwrap().success());
    // Commands do not mind either.
    let listed = axiam(data.path())
        .args(["site", "list"])
        .stdout(full())
        .stderr(full())
        .status();
    assert!(listed.unwrap().success());
}

#[test]
fn a_second_server_on_one_folder_is_refused_and_commands_are_not() {
    let data = tempfile::tempdir().unwrap();
    let start = || {
        Served::start_in(data.path(), |command| {
            command.args(["serve", "--listen", "127.0.0.1:0"]);
        })
    };
    let mut first = start();
    let told = refusal(data.path(), "127.0.0.1:0");
    assert!(
        told.contains("another server runs on") && told.contains("redis.url"),
        "{told}"
    );
    let create = ["site", "create", "--url", "https://a.example"];
    for command in [&create[..], &["site", "list"], &["doctor"], &["migrate"]] {
        let output = axiam(data.path()).args(command).output().unwrap();
        assert!(output.status.success(), "{command:?}: {output:?}");
    }
    // A server that ends, by whatever, makes room at once.
    first.child.kill().unwrap();
    first.child.wait().unwrap();
    let mut second = start();
    assert!(second.stop().success());
    drop(start());
}

#[test]
fn with_redis_servers_share_a_folder_and_not_with_one_that_has_none() {
    let Ok(redis) = std::env::var("AXIAM_TEST_REDIS_URL") else {
        return testkit::skipped("Redis; `make test` starts one");
    };
    let data = tempfile::tempdir().unwrap();
    let prefix = format!("test-{}", uuid::Uuid::new_v4());
    let start = || {
        Served::start_in(data.path(), |command| {
            command
                .args(["serve", "--listen", "127.0.0.1:0"])
                .env("AXIAM_REDIS_URL", &redis)
                .env("AXIAM_REDIS_PREFIX", &prefix);
        })
    };
    let _servers = (start(), start());
    let told = refusal(data.path(), "127.0.0.1:0");
    assert!(told.contains("another server runs on"), "{told}");
}

/// A phone that is paired with a site of this server.
async fn paired(served: &Served) -> Phone {
    let site = served.site().await;
    let link = site.link(&site.client("ann@example.com").await).await;
    let clock = Arc::new(SystemClock);
    Phone::pair(&link, &served.url, "test phone", clock)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_answers_phones_that_wait_and_takes_five_seconds_at_most() {
    let mut served = Served::start(|_| {});
    let phone = paired(&served).await;
    // One that waits, one that is idle, and one that never ends its request.
    let address = served.url.trim_start_matches("http://").to_owned();
    let idle = TcpStream::connect(&address).unwrap();
    let mut half = TcpStream::connect(&address).unwrap();
    half.write_all(
        b"POST /api/v1/facial_sign_on/application_auth HTTP/1.1\r\nContent-Length: 9\r\n\r\n{",
    )
    .unwrap();
    let waiting = tokio::spawn(async move {
        let begun = Instant::now();
        (phone.pending(25).await, begun.elapsed())
    });
    // Time for the question to arrive; one that comes later is not kept waiting either.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let asked = Instant::now();
    served.signal("TERM");
    let (answer, waited) = waiting.await.unwrap();
    assert!(answer.unwrap().is_empty());
    assert!(waited < Duration::from_secs(4), "{waited:?}");
    assert!(served.child.wait().unwrap().success());
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    let _ = (idle.shutdown(Shutdown::Both), half.shutdown(Shutdown::Both));
}
