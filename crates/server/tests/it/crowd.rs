//! A hundred uploads of twelve megabytes at once, at the program itself, in a process of its own:
//! what does not fit is shed, and memory stays below the ceiling that the settings make.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use futures_util::future::join_all;
use reqwest::{
    Client,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use server::app::API;
use testkit::{Answer, photos, skipped};

/// Settings of the program under test.
const UPLOADS: u64 = 100 << 20;
const PHOTO: u64 = 96 << 20;
const WORKERS: u64 = 2;
/// What the system and the server hold beside the uploads they were counted for: buffers of a
/// hundred connections, and pages that the allocator has not given back.
const BESIDE: u64 = 64 << 20;

fn axiam(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_axiam"));
    let pack = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/build/default");
    if std::env::var_os("AXIAM_FACE_PACK").is_none() {
        command.env("AXIAM_FACE_PACK", pack);
    }
    command
        .env_remove("AXIAM_DATABASE_URL")
        .env_remove("AXIAM_REDIS_URL")
        .env("AXIAM_SERVER_UPLOAD_MEMORY", UPLOADS.to_string())
        .env("AXIAM_FACE_PHOTO_MEMORY", PHOTO.to_string())
        .env("AXIAM_FACE_WORKERS", WORKERS.to_string())
        .env("AXIAM_SERVER_LISTEN", "127.0.0.1:0")
        .arg("--data-dir")
        .arg(data);
    command
}

fn told(command: &mut Command) -> Value {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{text}"))
}

/// The program while it serves; ends with the test.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(data: &Path) -> Self {
        let mut child = axiam(data)
            .arg("serve")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.find_map(|line| line.ok().filter(|l| l.contains("running at")));
        let line = line.expect("the server starts");
        std::thread::spawn(move || lines.for_each(drop));
        let url = line
            .split_whitespace()
            .find(|word| word.starts_with("http"));
        let url = url.unwrap().to_owned();
        Self { child, url }
    }

    /// A line of what the system says of the process, in bytes; `None` where it does not say.
    fn memory(&self, what: &str) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(what))?;
        let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kibibytes * 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A real photo, filled up to the largest file that is taken.
fn large_photo() -> &'static [u8] {
    let mut photo = photos().of(0, 0);
    photo.resize(12_000_000, 0);
    photo.leak()
}

async fn post(http: &Client, url: &str, token: &str, path: &str, body: Value) -> Answer {
    let request = http.post(format!("{url}{API}{path}")).bearer_auth(token);
    Answer::to(request.json(&body)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_uploads_at_once_are_taken_or_shed_within_the_ceiling() {
    let data = tempfile::tempdir().unwrap();
    let created = ["site", "create", "--url", "https://a.example", "--json"];
    let site = told(axiam(data.path()).args(created));
    let id = site["site_id"].as_str().unwrap();
    told(axiam(data.path()).args([
        "site",
        "set",
        id,
        "backend_enrolment=true",
        "backend_replaces_face=true",
    ]));
    let server = Server::start(data.path());
    let http = Client::builder()
        .timeout(Duration::from_secs(120))
        .build()
        .unwrap();
    let keys = json!({ "api_key": site["api_key"], "secret_key": site["secret_key"] });
    let token = post(&http, &server.url, "", "/application_auth", keys).await;
    let token = token.text("authenticated_token");
    let ann = json!({ "email": "ann@example.com", "full_name": "Ann" });
    let client = post(&http, &server.url, &token, "/client/create", ann).await;
    let client = client.text("client_id");

    let photo = large_photo();
    let upload = async || {
        let form = Form::new()
            .text("id", client.clone())
            .part("facial", Part::bytes(photo));
        let url = format!("{}{API}/client/upload_facial", server.url);
        Answer::to(http.post(url).bearer_auth(&token).multipart(form)).await
    };
    let idle = server.memory("VmRSS");
    assert_eq!(upload().await.code(), 0);
    let one = server.memory("VmHWM");
    let answers = join_all((0..100).map(|_| upload())).await;
    let peak = server.memory("VmHWM");

    let count = |code| {
        answers
            .iter()
            .filter(|answer| answer.code() == code)
            .count()
    };
    let (taken, shed) = (count(0), count(5003));
    assert_eq!(
        taken + shed,
        100,
        "{:?}",
        answers.iter().map(Answer::code).collect::<Vec<_>>()
    );
    // Eight fit at once, half of them of one site; at least those are taken, and at least some of the others are not.
    assert!(taken >= 4 && shed > 0, "{taken} taken, {shed} shed");
    let shed = answers.iter().filter(|answer| answer.code() == 5003);
    assert!(shed.clone().all(|answer| answer.retry_after.is_some()));
    let (Some(idle), Some(one), Some(peak)) = (idle, one, peak) else {
        return skipped("the memory of a process cannot be read on this system");
    };
    println!(
        "idle {} MB, one upload of 12 MB {} MB, a hundred {} MB; {taken} taken, {} shed",
        idle >> 20,
        one >> 20,
        peak >> 20,
        shed.count()
    );
    assert!(
        peak - idle <= UPLOADS + WORKERS * PHOTO + BESIDE,
        "{} MB",
        peak >> 20
    );
    // Room is given back: afterwards there is place again.
    assert_eq!(upload().await.code(), 0);
}
