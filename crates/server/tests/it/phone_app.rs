use reqwest::{Response, StatusCode, header::LOCATION, redirect::Policy};
use serde_json::Value;
use server::pages::assets::Asset;
use testkit::{App, on_each_database};

async fn open(app: &App, path: &str) -> Response {
    let client = reqwest::Client::builder().redirect(Policy::none());
    let request = client.build().unwrap().get(format!("{}{path}", app.url));
    request.header("accept", "text/html").send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

on_each_database! {
    async fn the_phone_apps_page_may_use_the_camera_and_runs_nothing_inline(app: App) {
        let response = open(&app, "/phone/").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert!(header(&response, "permissions-policy").contains("camera=(self)"));
        let policy = header(&response, "content-security-policy");
        for source in ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "worker-src 'self'", "manifest-src 'self'", "frame-ancestors 'none'"] {
            assert!(policy.contains(source), "{policy}");
        }
        assert!(policy.contains("script-src 'self' 'wasm-unsafe-eval';"), "{policy}");
        assert!(policy.matches("unsafe").count() == 1 && !policy.contains("blob:"));
        let page = response.text().await.unwrap();
        assert!(page.contains(&Asset::named("phone/phone.js").path()));
        assert!(page.contains("/phone/manifest.webmanifest"));
        assert!(!page.contains("<script>") && !page.contains("style=") && !page.contains("<style"));
    }

    async fn no_other_page_may_use_the_camera_or_run_workers(app: App) {
        for path in ["/", "/nowhere"] {
            let response = open(&app, path).await;
            assert!(header(&response, "permissions-policy").contains("camera=()"), "{path}");
            let policy = header(&response, "content-security-policy");
            assert!(policy.contains("worker-src 'none'") && policy.contains("manifest-src 'none'"), "{policy}");
            assert!(!policy.contains("wasm"), "{policy}");
        }
    }

    async fn the_phones_engine_is_served_as_what_it_is_and_its_worker_may_do_that_alone(app: App) {
        let (Some(program), Some(weights)) = (Asset::perhaps("phone/engine.wasm"), Asset::perhaps("phone/engine.onnx")) else {
            eprintln!("SKIPPED: the phone's engine was not built (no wasm32-unknown-unknown)");
            return;
        };
        let page = open(&app, "/phone/").await.text().await.unwrap();
        let served = open(&app, &program.path()).await;
        assert_eq!(header(&served, "content-type"), "application/wasm");
        let worker = Asset::named("phone/engine-worker.js");
        let served = open(&app, &worker.path()).await;
        let policy = "default-src 'none'; connect-src 'self'; script-src 'wasm-unsafe-eval'";
        assert_eq!(header(&served, "content-security-policy"), policy);
        for asset in [program, weights, worker] {
            assert!(page.contains(&asset.path()), "{}", asset.name);
        }
    }

    async fn a_link_without_its_last_slash_leads_to_the_app(app: App) {
        let response = open(&app, "/phone").await;
        assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT);
        assert_eq!(response.headers()[LOCATION], "/phone/");
    }

    async fn the_service_worker_is_asked_for_each_time_and_may_fetch_from_here_alone(app: App) {
        let response = open(&app, "/phone/sw.js").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header(&response, "content-type"), "text/javascript");
        assert_eq!(header(&response, "cache-control"), "no-cache");
        assert_eq!(header(&response, "content-security-policy"), "default-src 'none'; connect-src 'self'");
        let other = open(&app, &Asset::named("phone/phone.js").path()).await;
        assert!(header(&other, "content-security-policy").starts_with("default-src 'none';"));
        assert!(!header(&other, "content-security-policy").contains("connect-src"));
    }

    async fn everything_that_the_app_keeps_for_later_is_there(app: App) {
        let worker = open(&app, "/phone/sw.js").await.text().await.unwrap();
        let shell: Vec<&str> = worker.split('"').filter(|text| text.starts_with("/assets/") || text.starts_with("/phone/")).collect();
        assert!(shell.len() >= 8 && shell.contains(&"/phone/"), "{shell:?}");
        for path in shell {
            assert_eq!(open(&app, path).await.status(), StatusCode::OK, "{path}");
        }
        let manifest = open(&app, "/phone/manifest.webmanifest").await;
        assert_eq!(header(&manifest, "content-type"), "application/manifest+json");
        let manifest: Value = manifest.json().await.unwrap();
        assert_eq!((manifest["start_url"].as_str(), manifest["scope"].as_str()), (Some("/phone/"), Some("/phone/")));
        for icon in manifest["icons"].as_array().unwrap() {
            let response = open(&app, icon["src"].as_str().unwrap()).await;
            assert_eq!(header(&response, "content-type"), "image/png");
        }
    }
}
