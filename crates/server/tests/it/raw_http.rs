//! Requests byte by byte, as libraries that are not ours write them.

use std::time::Duration;

use testkit::{App, Backend, on_each_database};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Longest wait for the end of a connection; pings would go on for ever.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection on which a test writes what it likes.
struct Raw(TcpStream);

impl Raw {
    async fn to(app: &App) -> Self {
        let address = app.url.trim_start_matches("http://");
        Self(TcpStream::connect(address).await.unwrap())
    }

    async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Everything until the head ends; the server sends nothing before it is asked.
    async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.unwrap());
        }
        String::from_utf8(head).unwrap()
    }

    /// What is left until the server closes.
    async fn rest(mut self) -> String {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).await.unwrap();
        rest
    }
}

fn head(site: &Backend, path: &str, more: &str) -> String {
    format!(
        "POST /api/v1/facial_sign_on{path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
         Authorization: Bearer {}\r\n{more}\r\n\r\n",
        site.token
    )
}

/// A text in chunks of so many bytes (RFC 9112, section 7.1), with an extension and a trailer.
fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let mut written = Vec::new();
    for chunk in body.chunks(size) {
        written.extend(format!("{:x};a=b\r\n", chunk.len()).into_bytes());
        written.extend(chunk);
        written.extend(b"\r\n");
    }
    written.extend(b"0\r\nX-Checked: no\r\n\r\n");
    written
}

fn form(id: &str, photo: &[u8]) -> Vec<u8> {
    let mut form = format!(
        "--b\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\n{id}\r\n--b\r\n\
         Content-Disposition: form-data; name=\"facial\"; filename=\"a.jpg\"\r\n\r\n"
    )
    .into_bytes();
    form.extend(photo);
    form.extend(b"\r\n--b--\r\n");
    form
}

on_each_database! {
    async fn bodies_may_come_in_chunks(app: App) {
        let site = app.site("a.example").await;
        let lookup = br#"{"email":"ann@example.com"}"#;
        for size in [1, 7, 1000] {
            let mut raw = Raw::to(&app).await;
            raw.write(head(&site, "/login/lookup_client", "Transfer-Encoding: chunked")).await;
            raw.write(chunked(lookup, size)).await;
            assert!(raw.rest().await.contains("\"code\":1007"), "{size}");
        }
        let ann = site.client("ann@example.com").await.to_string();
        let mut raw = Raw::to(&app).await;
        let kind = "Content-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked";
        raw.write(head(&site, "/client/upload_facial", kind)).await;
        raw.write(chunked(&form(&ann, &testkit::photos().of(0, 0)), 4099)).await;
        let answer = raw.rest().await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    async fn a_body_without_a_known_end_is_bounded_like_any_other(app: App) {
        let site = app.site("a.example").await;
        let mut raw = Raw::to(&app).await;
        raw.write(head(&site, "/login/lookup_client", "Transfer-Encoding: chunked")).await;
        raw.write(chunked(&vec![b' '; 1024 * 1024], 4096)).await;
        assert!(raw.rest().await.starts_with("HTTP/1.1 413"));
    }

    async fn chunks_that_are_none_end_the_request_alone(app: App) {
        let site = app.site("a.example").await;
        for body in ["zz\r\n{}\r\n0\r\n\r\n", "-2\r\n{}\r\n0\r\n\r\n", "ffffffffffffffffff\r\n{}"] {
            let mut raw = Raw::to(&app).await;
            raw.write(head(&site, "/login/lookup_client", "Transfer-Encoding: chunked")).await;
            raw.write(body).await;
            let answer = raw.rest().await;
            assert!(answer.starts_with("HTTP/1.1 400"), "{body}: {answer}");
        }
        // A length beside chunks is how requests are smuggled past a proxy (RFC 9112, section 6.1): chunks
        // count, and nothing of what follows is taken for a request.
        let mut raw = Raw::to(&app).await;
        let both = "Content-Length: 4\r\nTransfer-Encoding: chunked";
        raw.write(head(&site, "/login/lookup_client", both)).await;
        raw.write(b"0\r\n\r\nGET /health/live HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let answer = raw.rest().await;
        assert!(!answer.contains("\"live\""), "{answer}");
        assert_eq!(site.token_of("site").await.split('.').count(), 3);
    }

    async fn who_asks_before_sending_is_told_to_send_or_why_not(app: App) {
        let site = app.site("a.example").await;
        let lookup = r#"{"email":"ann@example.com"}"#;
        let asking = format!("Expect: 100-continue\r\nContent-Length: {}", lookup.len());
        let mut raw = Raw::to(&app).await;
        raw.write(head(&site, "/login/lookup_client", &asking)).await;
        assert!(raw.head().await.starts_with("HTTP/1.1 100"));
        raw.write(lookup).await;
        assert!(raw.rest().await.contains("\"code\":1007"));
        // A stranger is answered without the body, which would be 20 MB.
        let mut raw = Raw::to(&app).await;
        let asking = "Expect: 100-continue\r\nContent-Length: 20971520";
        raw.write(head(&site.with_token("x"), "/client/upload_facial", asking)).await;
        assert!(raw.rest().await.starts_with("HTTP/1.1 401"));
    }

    async fn a_call_of_the_cable_without_an_upgrade_is_told_to_what(app: App) {
        let mut raw = Raw::to(&app).await;
        raw.write("GET /cable HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        let answer = raw.rest().await.to_ascii_lowercase();
        assert!(answer.starts_with("http/1.1 426"), "{answer}");
        assert!(answer.contains("\r\nupgrade: websocket\r\n"), "{answer}");
    }

    async fn frames_against_the_protocol_end_their_connection_alone(app: App) {
        let call = "GET /cable HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        let connect = async || {
            let mut raw = Raw::to(&app).await;
            raw.write(call).await;
            assert!(raw.head().await.starts_with("HTTP/1.1 101"));
            raw
        };
        let mut beside = connect().await;
        for (name, frame) in [
            ("without a mask", &b"\x81\x02{}"[..]),
            ("of a reserved kind", b"\x83\x80abcd"),
            ("with reserved bits", b"\xf1\x80abcd"),
            ("a ping in two parts", b"\x09\x80abcd"),
            ("a ping that is too long", b"\x89\xfe\x00\x7eabcd"),
            ("a part of nothing", b"\x80\x80abcd"),
            ("a text that is no UTF-8", b"\x81\x82\0\0\0\0\xff\xff"),
            ("a length beyond memory", b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xffabcd"),
        ] {
            let mut raw = connect().await;
            raw.write([frame, &[0; 130]].concat()).await;
            let mut rest = Vec::new();
            // A reset is an end, too.
            let ended = tokio::time::timeout(PATIENCE, raw.0.read_to_end(&mut rest)).await;
            assert!(ended.is_ok() && !rest.is_empty(), "{name}: {rest:?}");
        }
        beside.write(b"\x89\x80abcd").await;
        let mut heard = vec![0; 4096];
        let mut seen: Vec<u8> = Vec::new();
        while !seen.windows(2).any(|two| two == b"\x8a\x00") {
            let length = beside.0.read(&mut heard).await.unwrap();
            assert!(length > 0, "the one beside was cut off");
            seen.extend(&heard[..length]);
        }
    }

    /// JavaScript writes half of a surrogate pair as an escape; no Unicode text can hold it.
    async fn half_a_character_is_refused_by_name(app: App) {
        let site = app.site("a.example").await;
        for (path, field) in [("/login/lookup_client", "email"), ("/client/create", "email")] {
            for half in [r"\ud800", r"\udc00", r"\udc00\ud800", r"\ud83d\u0041"] {
                let body = format!("{{\"{field}\":\"ann{half}@example.com\",\"full_name\":\"Ann\"}}");
                let request = site.request("POST", path).body(body);
                let answer = testkit::Answer::to(request).await;
                assert_eq!((answer.status, answer.code()), (400, 1006), "{path} {half}");
            }
        }
        // A whole pair is a character.
        let body = r#"{"email":"bob@example.com","full_name":"Bob \ud83d\ude00"}"#;
        let answer = testkit::Answer::to(site.request("POST", "/client/create").body(body)).await;
        assert_eq!(answer.code(), 0);
    }
}
