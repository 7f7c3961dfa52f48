//! Whatever is asked, the answer is the envelope.

use serde_json::json;
use testkit::{Answer, App, on_each_database};

const POSTS: [&str; 9] = [
    "/application_auth",
    "/client/create",
    "/client/qrcode",
    "/client/send_push",
    "/login/lookup_client",
    "/login/push_notification",
    "/login/validate_session",
    "/login/cancel",
    "/client/upload_facial",
];

on_each_database! {
    async fn for_paths_and_methods_that_are_not_there(app: App) {
        let site = app.site("a.example").await;
        for (method, path, status) in [
            ("GET", "/nothing", 404), ("POST", "/", 404), ("DELETE", "/client/create", 405),
            ("GET", "/application_auth", 405), ("PUT", "/login/pending", 405),
            ("BREW", "/login/status", 405),
        ] {
            let answer = Answer::to(site.request(method, path)).await;
            assert_eq!((answer.status, answer.code()), (status, 1006), "{method} {path}");
        }
        let outside = reqwest::Client::new().get(format!("{}/nothing", app.url));
        assert_eq!(Answer::to(outside).await.status, 404);
    }

    async fn for_bodies_that_are_no_json(app: App) {
        let site = app.site("a.example").await;
        for path in &POSTS[..8] {
            for body in ["", "{", "[]", "7", "null", "\"text\"", "{\"id\":}", "{} {}", "\u{0}"] {
                let answer = Answer::to(site.request("POST", path).body(body)).await;
                assert_eq!((answer.status, answer.code()), (400, 1006), "{path} {body}");
                assert!(!answer.field().is_empty());
            }
            let bytes = Answer::to(site.request("POST", path).body(vec![0xff, 0xfe])).await;
            assert_eq!(bytes.code(), 1006);
            let deep = "[".repeat(20_000);
            assert_eq!(Answer::to(site.request("POST", path).body(deep)).await.code(), 1006);
        }
    }

    async fn for_bodies_that_are_too_large(app: App) {
        let site = app.site("a.example").await;
        for path in &POSTS[..8] {
            let body = json!({ "email": "a".repeat(100_000) });
            let answer = site.post(path, &body).await;
            assert_eq!((answer.status, answer.code()), (413, 1006), "{path}");
        }
    }

    async fn for_bodies_that_are_refused_before_they_are_read(app: App) {
        let stranger = app.site("a.example").await.with_token("");
        let body = vec![b'x'; 20 * 1024 * 1024];
        let request = stranger.request("POST", "/client/create").body(body);
        assert_eq!(Answer::to(request).await.code(), 1003);
    }

    async fn for_tokens_that_are_missing(app: App) {
        let stranger = app.site("a.example").await.with_token("");
        for path in &POSTS[1..] {
            let answer = Answer::to(stranger.request("POST", path).body("{}")).await;
            assert_eq!((answer.status, answer.code()), (401, 1003), "{path}");
            assert_eq!(answer.body["error"], "token_missing");
        }
        for path in ["/device/challenge", "/device/facial", "/device/push", "/login/challenge",
            "/login/verify_token", "/login/deny", "/device/register"] {
            let answer = Answer::to(stranger.request("POST", path).body("{}")).await;
            assert_eq!((answer.status, answer.code()), (401, 1050), "{path}");
        }
    }

    async fn for_queries_and_plain_requests_to_the_cable(app: App) {
        let site = app.site("a.example").await;
        let twice = site.get("/login/status?verification_token=a&verification_token=b").await;
        assert_eq!((twice.status, twice.code(), twice.field()), (400, 1006, "verification_token"));
        let http = reqwest::Client::new();
        for (query, status) in [("", 426), ("?token=a&token=b", 400)] {
            let request = http.get(format!("{}/cable{query}", app.url));
            assert_eq!(Answer::to(request).await.status, status);
        }
        assert_eq!(Answer::to(http.post(format!("{}/cable", app.url))).await.status, 426);
    }

    async fn for_characters_that_a_database_does_not_take(app: App) {
        let site = app.site("a.example").await;
        let keys = json!({ "api_key": "a\u{0}", "secret_key": "\u{0}" });
        assert_eq!(site.post("/application_auth", &keys).await.code(), 1001);
        let ann = json!({ "email": "ann\u{0}@example.com", "full_name": "Ann" });
        assert_eq!(site.post("/client/create", &ann).await.code(), 1006);
        let paired = site.paired("ann@example.com").await;
        let push = json!({ "push": { "kind": "fcm", "token": "a\u{0}" } });
        let sent = paired.phone.call("/device/push", &push).await;
        assert_eq!(crate::device_register::code(sent), 1006);
    }

    async fn for_arrays_where_objects_belong(app: App) {
        let site = app.site("a.example").await;
        let answer = site.post("/client/create", &json!(["ann@example.com", "Ann"])).await;
        assert_eq!((answer.code(), answer.field()), (1006, "body"));
    }

    async fn with_an_id_to_quote(app: App) {
        let response = reqwest::get(format!("{}/nothing", app.url)).await.unwrap();
        let id = response.headers()["x-request-id"].to_str().unwrap();
        assert!(uuid::Uuid::parse_str(id).is_ok());
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert_eq!(response.headers()["cache-control"], "no-store");
    }

    async fn when_the_database_is_gone(app: App) {
        let site = app.site("a.example").await;
        app.app.state.db.clone().close().await.unwrap();
        let asked = std::time::Instant::now();
        let answer = site.post("/client/create", &json!({ "email": "a@b.example", "full_name": "A" })).await;
        assert_eq!((answer.status, answer.code(), answer.retry_after), (503, 5003, Some(5)));
        let ready = reqwest::get(format!("{}/health/ready", app.url)).await.unwrap();
        assert_eq!(ready.status(), 503);
        let live = reqwest::get(format!("{}/health/live", app.url)).await.unwrap();
        assert_eq!(live.status(), 200);
        assert!(asked.elapsed().as_secs() < 2);
    }

    async fn saying_how_to_say_who_calls(app: App) {
        let site = app.site("a.example").await;
        let challenge = async |request: reqwest::RequestBuilder| {
            let response = request.json(&json!({ "email": "a@b.example" })).send().await.unwrap();
            assert_eq!(response.status(), 401);
            response.headers()["www-authenticate"].to_str().unwrap().to_owned()
        };
        let lookup = "/login/lookup_client";
        assert_eq!(challenge(site.with_token("").request("POST", lookup)).await, "Bearer");
        let wrong = challenge(site.with_token("x").request("POST", lookup)).await;
        assert_eq!(wrong, "Bearer error=\"invalid_token\"");
        let phone = challenge(site.request("POST", "/login/deny")).await;
        assert!(phone.starts_with("DPoP error=\"invalid_dpop_proof\""), "{phone}");
    }

    async fn naming_what_a_body_is_instead_of_json(app: App) {
        let site = app.site("a.example").await;
        let json = br#"{"email":"ann@example.com"}"#;
        for (before, words) in [
            (&b"\xef\xbb\xbf"[..], "byte order mark"), (b"\xff\xfe", "UTF-16"), (b"\x1f\x8b\x08", "gzip"),
        ] {
            let body = [before, json].concat();
            let answer = Answer::to(site.request("POST", "/login/lookup_client").body(body)).await;
            assert_eq!((answer.code(), answer.field()), (1006, "body"));
            assert!(answer.body["message"].as_str().unwrap().contains(words), "{words}");
        }
        let packed = site.request("POST", "/login/lookup_client")
            .header("Content-Encoding", "gzip").body(json.to_vec());
        let answer = Answer::to(packed).await;
        assert_eq!((answer.code(), answer.field()), (1006, "content-encoding"));
        assert!(answer.body["message"].as_str().unwrap().contains("gzip"));
        let plain = site.request("POST", "/login/lookup_client")
            .header("Content-Encoding", "identity").body(json.to_vec());
        assert_eq!(Answer::to(plain).await.code(), 1007);
    }

    async fn naming_the_path_that_is_meant(app: App) {
        let right = "/api/v1/facial_sign_on/login/lookup_client";
        for path in [
            format!("{right}/"), format!("/api{right}"), "/facial_sign_on/login/lookup_client".to_owned(),
            "/v1/login/lookup_client//".to_owned(),
        ] {
            let answer = Answer::to(reqwest::Client::new().post(format!("{}{path}", app.url))).await;
            assert_eq!((answer.status, answer.code(), answer.field()), (404, 1006, "path"));
            let message = answer.body["message"].as_str().unwrap();
            assert!(message.ends_with(&format!("did you mean {right}?")), "{message}");
        }
        for path in ["/", "/nothing", "/api/v1/facial_sign_on"] {
            let response = reqwest::Client::new().post(format!("{}{path}", app.url)).send().await.unwrap();
            assert!(!response.text().await.unwrap().contains("did you mean"), "{path}");
        }
    }

    async fn for_an_id_of_any_form(app: App) {
        let site = app.site("a.example").await;
        let ann = site.client("ann@example.com").await;
        for id in [json!("nobody"), json!(""), json!(7), json!(-7), json!("\u{0}"), json!(uuid::Uuid::nil())] {
            let answer = site.post("/client/qrcode", &json!({ "id": id, "flow_type": "login" })).await;
            assert_eq!(answer.code(), 1007, "{id}");
            let answer = site.post("/login/push_notification", &json!({ "id": id })).await;
            assert_eq!(answer.code(), 1007, "{id}");
        }
        let capitals = ann.to_string().to_uppercase();
        let answer = site.post("/client/qrcode", &json!({ "id": capitals, "flow_type": "login" })).await;
        assert_eq!(answer.code(), 0);
        assert_eq!(site.upload("nobody", vec![1]).await.code(), 1007);
    }
}
