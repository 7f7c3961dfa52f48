//! How long an owner waits for the pages of the login tracker at a million attempts, on SQLite and on PostgreSQL, over
//! HTTP. `make bench-tracker` runs it beside a private PostgreSQL; the last line is JSON.

mod fill;
mod visit;

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use testkit::{App, Database, Engine};

use self::{fill::Filled, visit::Visit};

/// Attempts on the site, of so many people, over so many days.
const ATTEMPTS: u32 = 1_000_000;
const PEOPLE: u32 = 20_000;
const DAYS: u32 = 60;

/// How often a page is asked for after the first time.
const TIMES: usize = 21;

#[tokio::main]
async fn main() {
    let mut results = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        results.extend(measure(engine).await);
    }
    println!("{}", json!({ "attempts": ATTEMPTS, "pages": results }));
}

async fn measure(engine: Engine) -> Vec<Value> {
    let Some(database) = Database::create(engine).await else {
        return Vec::new();
    };
    let app = App::start(Arc::new(database), |_| {}).await;
    let site = app.site("a.example").await;
    eprintln!("bench-tracker: {engine:?}: filling in {ATTEMPTS} attempts");
    let filled = Filled::with(&app, site.site_id).await;
    let owner = Visit::of(&app).await;
    let base = format!("/dashboard/apps/{}", site.site_id);
    println!(
        "\n{engine:?}\n{:<44} {:>9} {:>9} {:>9}",
        "page", "first ms", "median", "worst"
    );
    let mut results = Vec::new();
    for (name, query) in pages(&filled) {
        let address = match query.starts_with("/dashboard") {
            true => query,
            false => format!("{base}{query}"),
        };
        let first = owner.time(&address).await;
        let mut again = Vec::new();
        for _ in 0..TIMES {
            again.push(owner.time(&address).await);
        }
        again.sort_unstable();
        let [first, median, worst] = [first, again[TIMES / 2], again[TIMES - 1]].map(milliseconds);
        println!("{name:<44} {first:>9.1} {median:>9.1} {worst:>9.1}");
        results.push(json!({
            "database": format!("{engine:?}"), "page": name, "first_ms": first, "median_ms": median, "worst_ms": worst,
        }));
    }
    results
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Whatever an owner may look at, with what stands behind the app's address, or with a whole one.
fn pages(filled: &Filled) -> Vec<(&'static str, String)> {
    let Filled {
        attempt,
        person,
        far,
        ..
    } = filled;
    vec![
        ("the first page, with charts", String::new()),
        ("the apps, with what failed on them", "/dashboard".into()),
        ("the page after 500,000 attempts", format!("?after={far}")),
        ("failed", "?verdict=failed".into()),
        ("failed, far back", format!("?verdict=failed&after={far}")),
        (
            "failed or denied or expired",
            "?verdict=failed,denied,expired".into(),
        ),
        (
            "failed at the number, the rarest reason",
            "?verdict=failed&reason=number".into(),
        ),
        ("of 24 hours", "?days=1".into()),
        ("failed, of 30 days", "?verdict=failed&days=30".into()),
        (
            "of a person, by the whole address",
            "?q=person7777@example.com".into(),
        ),
        ("of people, by a beginning", "?q=person77".into()),
        (
            "of people, by the letter that all begin with",
            "?q=p".into(),
        ),
        ("of a person, by id", format!("?q={person}")),
        ("of an IP address", "?q=192.0.2.7".into()),
        (
            "failed, of an IP address",
            "?verdict=failed&q=192.0.2.7".into(),
        ),
        ("of nobody", "?q=nobody@example.com".into()),
        ("one attempt, opened", format!("?open={attempt}")),
        ("clients", "/clients".into()),
        ("a client", format!("/clients/{person}")),
        ("the audit log", "/audit".into()),
    ]
}
