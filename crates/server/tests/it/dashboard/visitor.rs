//! A browser without pictures: it keeps its cookie and follows nothing by itself.

use std::sync::Mutex;

use reqwest::{
    Client, RequestBuilder, StatusCode,
    multipart::{Form, Part},
    redirect::Policy,
};
use server::{
    account::{self, Account},
    platform::clock::Clock,
};
use testkit::App;

/// What accounts of tests sign in with.
pub(crate) const PASSWORD: &str = "a password of tests";

/// What a page said.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    /// Where it leads, without the server's address.
    pub(crate) location: String,
    pub(crate) policy: String,
    /// The whole of `Set-Cookie`, where there is one.
    pub(crate) set_cookie: String,
    pub(crate) text: String,
}

impl Seen {
    /// What stands in the element of this id.
    pub(crate) fn element(&self, id: &str) -> String {
        let rest = self.text.split(&format!("id=\"{id}\"")).nth(1);
        let rest = rest.unwrap_or_else(|| panic!("no {id} in {}", self.text));
        let inner = rest.split_once('>').unwrap().1;
        inner.split('<').next().unwrap().to_owned()
    }

    /// The value of the hidden field of this name.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let rest = self.text.split(&format!("name=\"{name}\" value=\"")).nth(1);
        let rest = rest.unwrap_or_else(|| panic!("no {name} in {}", self.text));
        rest.split('"').next().unwrap().to_owned()
    }
}

/// A browser.
pub(crate) struct Visitor {
    url: String,
    http: Client,
    cookie: Mutex<Option<String>>,
}

impl Visitor {
    /// One that has never been here.
    pub(crate) fn new(app: &App) -> Self {
        Self {
            url: app.url.clone(),
            http: Client::builder().redirect(Policy::none()).build().unwrap(),
            cookie: Mutex::default(),
        }
    }

    /// What it holds: `name=value`.
    pub(crate) fn cookie(&self) -> Option<String> {
        self.cookie.lock().unwrap().clone()
    }

    /// Makes it hold another one.
    pub(crate) fn hold(&self, cookie: Option<String>) {
        *self.cookie.lock().unwrap() = cookie;
    }

    pub(crate) async fn get(&self, path: &str) -> Seen {
        self.send(self.http.get(format!("{}{path}", self.url)))
            .await
    }

    /// Asks as a page's script does that shows this version.
    pub(crate) async fn watch(&self, path: &str, version: &str) -> Seen {
        let request = self.http.get(format!("{}{path}", self.url));
        self.send(request.header("x-axiam-shown", version)).await
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Seen {
        let request = self.form(path, fields);
        self.send(request.header("sec-fetch-site", "same-origin"))
            .await
    }

    /// A form with a file in it.
    pub(crate) async fn post_file(&self, path: &str, name: &str, bytes: &[u8]) -> Seen {
        let part = Part::bytes(bytes.to_vec()).file_name("people.csv");
        self.post_parts(path, Form::new().part(name.to_owned(), part))
            .await
    }

    /// A form of several parts.
    pub(crate) async fn post_parts(&self, path: &str, form: Form) -> Seen {
        let request = self
            .http
            .post(format!("{}{path}", self.url))
            .multipart(form);
        self.send(request.header("sec-fetch-site", "same-origin"))
            .await
    }

    /// The same, as a page of another site would send it.
    pub(crate) async fn post_from_elsewhere(&self, path: &str, fields: &[(&str, &str)]) -> Seen {
        let request = self.form(path, fields);
        self.send(request.header("sec-fetch-site", "cross-site"))
            .await
    }

    /// An empty form, as a browser sends it that says this.
    pub(crate) async fn post_saying(&self, path: &str, said: &[(&str, &str)]) -> Seen {
        let mut request = self.form(path, &[]);
        for (name, value) in said {
            request = request.header(*name, *value);
        }
        self.send(request).await
    }

    /// How many bytes of a file a browser is sent.
    pub(crate) async fn weigh(&self, path: &str) -> usize {
        let mut request = self.http.get(format!("{}{path}", self.url));
        request = request
            .header("accept", "text/html")
            .header("accept-encoding", "gzip");
        if let Some(cookie) = self.cookie() {
            request = request.header("cookie", cookie);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.bytes().await.unwrap().len()
    }

    fn form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        self.http
            .post(format!("{}{path}", self.url))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.finish())
    }

    async fn send(&self, request: RequestBuilder) -> Seen {
        let mut request = request.header("accept", "text/html");
        if let Some(cookie) = self.cookie() {
            request = request.header("cookie", cookie);
        }
        let response = request.send().await.unwrap();
        let header = |name: &str| {
            let value = response.headers().get(name);
            value.map_or(String::new(), |value| value.to_str().unwrap().to_owned())
        };
        let (location, policy) = (header("location"), header("content-security-policy"));
        let set_cookie = header("set-cookie");
        if let Some(cookie) = set_cookie.split(';').next().filter(|text| !text.is_empty()) {
            let is_over = set_cookie.contains("Max-Age=0");
            self.hold((!is_over).then(|| cookie.to_owned()));
        }
        Seen {
            status: response.status(),
            location,
            policy,
            set_cookie,
            text: response.text().await.unwrap(),
        }
    }
}

/// Where the letters are shown to whoever develops.
pub(crate) fn dev_mail(app: &App) -> String {
    let shelf = app.app.state.post.shelf().unwrap();
    shelf.address().replace(&app.url, "")
}

/// An account with the password of tests.
pub(crate) async fn make_account(app: &App, email: &str, is_administrator: bool) -> Account {
    let state = &app.app.state;
    let now = app.clock.now();
    let made = account::create(&state.db, &state.keys, email, is_administrator, now);
    let made = made.await.unwrap();
    let token = account::offer(&state.db, &state.keys, Some(made.id), now)
        .await
        .unwrap();
    account::join(state, token.reveal(), PASSWORD)
        .await
        .unwrap()
}

/// A browser in which this account is signed in.
pub(crate) async fn signed_in(app: &App, email: &str) -> Visitor {
    let visitor = Visitor::new(app);
    let fields = [("email", email), ("password", PASSWORD)];
    let seen = visitor.post("/dashboard/sign-in", &fields).await;
    assert_eq!(
        (seen.status, seen.location.as_str()),
        (StatusCode::SEE_OTHER, "/dashboard")
    );
    visitor
}
