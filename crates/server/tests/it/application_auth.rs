use serde_json::json;
use testkit::{Answer, App, on_each_database};

on_each_database! {
    async fn keys_give_a_token_for_thirty_days(app: App) {
        let site = app.site("https://Example.com:8443/path").await;
        for domain in [
            json!(null), json!("example.com"), json!("https://www.EXAMPLE.com:8443/login?x"),
        ] {
            let body = json!({
                "api_key": site.api_key, "secret_key": site.secret_key, "domain": domain,
            });
            let answer = site.with_token("").post("/application_auth", &body).await;
            assert_eq!(answer.data()["expires_in"], 2_592_000);
            assert!(answer.text("authenticated_token").split('.').count() == 3);
        }
    }

    async fn keys_may_come_as_headers(app: App) {
        let site = app.site("example.com").await;
        let request = site.request("POST", "/application_auth")
            .header("X-API-Key", &site.api_key)
            .header("X-API-Secret", &site.secret_key);
        assert_eq!(Answer::to(request).await.code(), 0);
    }

    async fn a_widget_token_lives_ten_minutes(app: App) {
        let site = app.site("example.com").await;
        let mut body = json!({
            "api_key": site.api_key, "secret_key": site.secret_key, "scope": "widget",
        });
        assert_eq!(site.post("/application_auth", &body).await.data()["expires_in"], 600);
        for life in [60, 3600] {
            body["expires_in"] = life.into();
            assert_eq!(site.post("/application_auth", &body).await.data()["expires_in"], life);
        }
    }

    async fn wrong_keys_are_1001_whatever_is_wrong(app: App) {
        let site = app.site("example.com").await;
        let other = app.site("other.example").await;
        for (key, secret) in [
            (&site.api_key, &other.secret_key), (&site.secret_key, &site.secret_key),
            (&"ak_".to_owned(), &site.secret_key), (&site.api_key, &"x".repeat(9000)),
        ] {
            let answer = site
                .post("/application_auth", &json!({ "api_key": key, "secret_key": secret }))
                .await;
            assert_eq!(answer.code(), 1001);
            assert_eq!(answer.body["message"], "the API key or the secret key is wrong");
        }
    }

    async fn another_domain_is_1002_and_no_domain_1006(app: App) {
        let site = app.site("example.com").await;
        for (domain, code) in [
            ("other.example", 1002), ("shop.example.com", 1002), ("com", 1006), ("co.uk", 1006),
            ("exa mple.com", 1006), ("127.0.0.1:99999", 1006), (&"a".repeat(300), 1006),
        ] {
            let body = json!({
                "api_key": site.api_key, "secret_key": site.secret_key, "domain": domain,
            });
            let answer = site.post("/application_auth", &body).await;
            assert_eq!(answer.code(), code, "{domain}");
        }
    }

    async fn what_is_missing_or_wrong_is_named(app: App) {
        let site = app.site("example.com").await;
        for (body, field) in [
            (json!({}), "api_key"),
            (json!({ "api_key": "a" }), "secret_key"),
            (json!({ "api_key": 7, "secret_key": "s" }), "api_key"),
            (json!({ "api_key": "", "secret_key": "s" }), "api_key"),
            (json!({ "api_key": "a", "secret_key": "s", "scope": "owner" }), "scope"),
            (json!({ "api_key": "a", "secret_key": "s", "expires_in": 0 }), "expires_in"),
            (json!({ "api_key": "a", "secret_key": "s", "expires_in": 9_999_999 }), "expires_in"),
            (json!({ "api_key": "a", "secret_key": "s", "expires_in": -1 }), "expires_in"),
        ] {
            let answer = site.post("/application_auth", &body).await;
            assert_eq!((answer.code(), answer.field()), (1006, field), "{body}");
        }
    }

    async fn too_many_are_1026(app: App, |settings| settings.limits.auth_per_ip = 3) {
        let site = app.site("example.com").await;
        let keys = json!({ "api_key": site.api_key, "secret_key": "wrong" });
        for _ in 0..3 {
            assert_eq!(site.post("/application_auth", &keys).await.code(), 1001);
        }
        let limited = site.post("/application_auth", &keys).await;
        assert_eq!((limited.status, limited.code()), (429, 1026));
        app.clock.advance(i64::try_from(limited.retry_after.unwrap()).unwrap());
        assert_eq!(site.post("/application_auth", &keys).await.code(), 1001);
    }

    async fn a_token_ends(app: App) {
        let site = app.site("example.com").await;
        let lookup = json!({ "email": "ann@example.com" });
        let path = "/login/lookup_client";
        assert_eq!(site.with_token("").post(path, &lookup).await.code(), 1003);
        for token in ["x", "a.b.c", &format!("{}x", site.token)] {
            let answer = site.with_token(token).post(path, &lookup).await;
            assert_eq!((answer.code(), &answer.body["error"]), (1003, &json!("token_invalid")));
        }
        let basic = site.with_token("").request("POST", path)
            .header("Authorization", "Basic YTpi");
        assert_eq!(Answer::to(basic).await.code(), 1003);
        assert_eq!(site.post(path, &lookup).await.code(), 1007);
        app.clock.advance(2_592_000);
        assert_eq!(site.post(path, &lookup).await.code(), 1004);
    }

    async fn a_token_can_be_checked_with_the_published_keys(app: App) {
        use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, jwk::JwkSet};
        let site = app.site("example.com").await;
        let keys: JwkSet = reqwest::get(format!("{}/.well-known/jwks.json", app.url))
            .await.unwrap().json().await.unwrap();
        let mut rules = Validation::new(Algorithm::ES256);
        rules.set_audience(&["axiam:site"]);
        rules.set_issuer(&[&app.url]);
        let key = DecodingKey::from_jwk(&keys.keys[0]).unwrap();
        let token = decode::<serde_json::Value>(&site.token, &key, &rules).unwrap();
        assert_eq!(token.claims["sub"], json!(site.site_id));
        assert_eq!(token.header.kid, keys.keys[0].common.key_id);
    }

    async fn a_site_that_is_switched_off_is_1001_and_its_tokens_1005(app: App) {
        use sea_orm::ConnectionTrait;
        let site = app.site("example.com").await;
        let off = "update sites set disabled_at = created_at";
        app.app.state.db.execute_unprepared(off).await.unwrap();
        let keys = json!({ "api_key": site.api_key, "secret_key": site.secret_key });
        assert_eq!(site.post("/application_auth", &keys).await.code(), 1001);
        let lookup = json!({ "email": "ann@example.com" });
        assert_eq!(site.post("/login/lookup_client", &lookup).await.code(), 1005);
    }
}
