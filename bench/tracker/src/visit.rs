//! An owner's browser, with a stopwatch.

use std::time::{Duration, Instant};

use reqwest::{Client, header::SET_COOKIE, redirect::Policy};
use server::{account, platform::clock::Clock};
use testkit::App;

const EMAIL: &str = "owner@example.com";
const PASSWORD: &str = "a-password-of-benchmarks";

pub(crate) struct Visit {
    http: Client,
    url: String,
    cookie: String,
}

impl Visit {
    /// Makes an account that runs the installation, and signs it in.
    pub(crate) async fn of(app: &App) -> Self {
        let (state, now) = (&app.app.state, app.clock.now());
        let made = account::create(&state.db, &state.keys, EMAIL, true, now).await;
        let id = made.expect("an account").id;
        let link = account::offer(&state.db, &state.keys, Some(id), now).await;
        let link = link.expect("a link");
        let joined = account::join(state, link.reveal(), PASSWORD).await;
        joined.expect("a password");
        let http = Client::builder().redirect(Policy::none()).build();
        let http = http.expect("a client");
        let signed_in = http
            .post(format!("{}/dashboard/sign-in", app.url))
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("email={EMAIL}&password={PASSWORD}"))
            .send()
            .await
            .expect("an answer");
        let cookie = signed_in.headers()[SET_COOKIE].to_str().expect("a cookie");
        Self {
            http,
            url: app.url.clone(),
            cookie: cookie.split(';').next().unwrap_or_default().to_owned(),
        }
    }

    /// How long a page takes, from the question to its last byte.
    pub(crate) async fn time(&self, address: &str) -> Duration {
        let begun = Instant::now();
        let request = self.http.get(format!("{}{address}", self.url));
        let answer = request.header("cookie", &self.cookie).send().await;
        let answer = answer.expect("an answer");
        assert!(
            answer.status().is_success(),
            "{address}: {}",
            answer.status()
        );
        answer.bytes().await.expect("a page");
        begun.elapsed()
    }
}
