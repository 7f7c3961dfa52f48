//! TLS on the port itself: with a certificate of its own, and with one from files.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
};

use rcgen::{CertificateParams, KeyPair};
use reqwest::{Certificate, Client, StatusCode, header, redirect::Policy};
use serde_json::Value;

use crate::served::{Served, axiam};

/// A client that trusts this PEM certificate alone, and follows nothing.
fn trusting(pem: &[u8]) -> Client {
    Client::builder()
        .tls_certs_only([Certificate::from_pem(pem).unwrap()])
        .redirect(Policy::none())
        .build()
        .unwrap()
}

fn port(served: &Served) -> u16 {
    served.url.rsplit_once(':').unwrap().1.parse().unwrap()
}

fn authority(served: &Served) -> Vec<u8> {
    fs::read(served.data.join("tls/authority.crt")).unwrap()
}

fn own() -> Served {
    Served::start(|command| {
        command.arg("--tls");
    })
}

#[tokio::test]
async fn a_certificate_of_its_own_is_taken_by_who_trusts_it_and_by_nobody_else() {
    let mut served = own();
    let port = port(&served);
    assert_eq!(served.url, format!("https://127.0.0.1:{port}"));
    let client = trusting(&authority(&served));
    for host in ["127.0.0.1", "localhost"] {
        let answer = client.get(format!("https://{host}:{port}/health/ready"));
        let answer = answer.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{host}");
        // Who does not trust it yet could not go on past a warning.
        let headers = answer.headers();
        assert!(!headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
    }
    let stranger = Client::new().get(format!("{}/health", served.url));
    assert!(stranger.send().await.is_err());
    // Its authority stays over a restart, or phones would have to trust anew.
    let before = authority(&served);
    assert!(served.stop().success());
    let again = Served::start_in(&served.data, |command| {
        command.args(["serve", "--tls", "--listen", "127.0.0.1:0"]);
    });
    assert_eq!(authority(&again), before);
    let answer = client.get(format!("{}/health/ready", again.url)).send();
    assert_eq!(answer.await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn plain_http_on_the_port_is_shown_the_way_and_the_certificate() {
    let served = own();
    let client = trusting(&authority(&served));
    let bare = served.url.replace("https", "http");
    let page = client.get(format!("{bare}/docs?q=1")).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::PERMANENT_REDIRECT);
    let to = page.headers()[header::LOCATION].to_str().unwrap();
    assert_eq!(to, format!("{}/docs?q=1", served.url));
    let api = format!("{bare}/api/v1/facial_sign_on/application_auth");
    let refused = client.post(&api).json(&serde_json::json!({})).send();
    let refused = refused.await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let told: Value = refused.json().await.unwrap();
    let sentence = told["message"].as_str().unwrap();
    assert!(sentence.contains(&served.url), "{told}");
    for url in [&bare, &served.url] {
        let page = client.get(format!("{url}/trust")).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::OK);
        let page = page.text().await.unwrap();
        assert!(page.contains(&format!("{bare}/trust")) && page.contains("Android"));
        let code = client.get(format!("{url}/trust/code.png")).send();
        assert_eq!(
            code.await.unwrap().headers()[header::CONTENT_TYPE],
            "image/png"
        );
        let file = client.get(format!("{url}/trust/axiam.crt")).send();
        let file = file.await.unwrap();
        let kind = &file.headers()[header::CONTENT_TYPE];
        assert_eq!(kind, "application/x-x509-ca-cert");
        let der = file.bytes().await.unwrap();
        // What a phone downloads is what programs are told to trust.
        Certificate::from_der(&der).unwrap();
        let pem = authority(&served);
        let text: String = String::from_utf8(pem).unwrap();
        let body: String = text
            .lines()
            .filter(|line| !line.starts_with("---"))
            .collect();
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        assert_eq!(STANDARD.decode(body).unwrap(), der);
    }
}

#[tokio::test]
async fn without_a_certificate_of_its_own_there_is_nothing_to_trust() {
    let served = Served::start(|_| {});
    let page = reqwest::get(format!("{}/trust", served.url)).await.unwrap();
    assert_eq!(page.status(), StatusCode::NOT_FOUND);
}

#[test]
fn who_opens_a_connection_and_says_nothing_stops_nobody() {
    let mut served = own();
    let address: SocketAddr = format!("127.0.0.1:{}", port(&served)).parse().unwrap();
    let silent: Vec<TcpStream> = (0..8)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    let doctor = axiam(&served.data).args(["phone", "--help"]).output();
    assert!(doctor.unwrap().status.success());
    assert!(served.stop().success());
    drop(silent);
}

/// Writes a certificate for `name` and its key.
fn certify(folder: &Path, name: &str) -> Vec<u8> {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let signed = params.self_signed(&key).unwrap();
    fs::write(folder.join("server.pem"), signed.pem()).unwrap();
    let file = folder.join("server.key");
    fs::write(&file, key.serialize_pem()).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    signed.pem().into_bytes()
}

fn with_files(command: &mut Command, folder: &Path) {
    command
        .env("AXIAM_TLS_MODE", "files")
        .env("AXIAM_TLS_CERTIFICATE", folder.join("server.pem"))
        .env("AXIAM_TLS_KEY", folder.join("server.key"));
}

#[tokio::test]
async fn files_are_read_again_on_a_hangup_and_a_broken_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let first = certify(folder.path(), "localhost");
    let served = Served::start(|command| with_files(command, folder.path()));
    let port = port(&served);
    let url = format!("https://localhost:{port}/health");
    let answer = trusting(&first).get(&url).send().await.unwrap();
    let told = &answer.headers()[header::STRICT_TRANSPORT_SECURITY];
    assert_eq!(told, "max-age=31536000");
    fs::write(folder.path().join("server.pem"), "nothing").unwrap();
    served.signal("HUP");
    assert!(served.logged("no certificate in PEM"));
    assert!(trusting(&first).get(&url).send().await.is_ok());
    let second = certify(folder.path(), "localhost");
    served.signal("HUP");
    assert!(served.logged("the certificate were read again"));
    assert!(trusting(&second).get(&url).send().await.is_ok());
    assert!(trusting(&first).get(&url).send().await.is_err());
}

#[test]
fn what_cannot_work_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let told = |change: &dyn Fn(&mut Command)| {
        let mut command = axiam(folder.path());
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        with_files(&mut command, folder.path());
        change(&mut command);
        let ended = command.output().unwrap();
        assert!(!ended.status.success());
        String::from_utf8(ended.stderr).unwrap()
    };
    assert!(told(&|_| {}).contains("server.pem: No such file"));
    certify(folder.path(), "localhost");
    let key = folder.path().join("server.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(told(&|_| {}).contains("every user of this machine may read it"));
    let other = tempfile::tempdir().unwrap();
    certify(other.path(), "localhost");
    let of_another = other.path().join("server.key");
    let words = told(&|command| {
        command.env("AXIAM_TLS_KEY", &of_another);
    });
    assert!(words.contains("not the key of"), "{words}");
    for (name, value, words) in [
        ("AXIAM_TLS_KEY", "", "tls.key: name the PEM file"),
        ("AXIAM_TLS_MODE", "on", "give \"off\", \"own\" or \"files\""),
        (
            "AXIAM_SERVER_PUBLIC_URL",
            "http://axiam.lan",
            "give the https:// address",
        ),
    ] {
        let found = told(&|command| {
            command.env(name, value);
        });
        assert!(found.contains(words), "{name}: {found}");
    }
    let public = told(&|command| {
        command
            .env("AXIAM_TLS_MODE", "own")
            .env("AXIAM_TLS_NAMES", "example.com");
    });
    assert!(
        public.contains("example.com is not a name or address of a private network"),
        "{public}"
    );
}

#[test]
fn doctor_sees_a_certificate_that_browsers_would_refuse() {
    let folder = tempfile::tempdir().unwrap();
    certify(folder.path(), "signin.lan");
    let look = |url: &str| {
        let mut command = axiam(folder.path());
        with_files(command.arg("doctor"), folder.path());
        let ended = command
            .env("AXIAM_SERVER_PUBLIC_URL", url)
            .output()
            .unwrap();
        let text = String::from_utf8(ended.stdout).unwrap();
        let line = text.lines().find(|line| line.contains("tls  "));
        line.unwrap_or_else(|| panic!("{text}")).to_owned()
    };
    let right = look("https://signin.lan");
    assert!(
        right.starts_with("ok") && right.contains("is for signin.lan"),
        "{right}"
    );
    let wrong = look("https://other.lan");
    assert!(
        wrong.starts_with("WRONG") && wrong.contains("not for other.lan"),
        "{wrong}"
    );
}
