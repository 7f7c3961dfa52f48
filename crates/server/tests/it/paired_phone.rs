//! What holds for every route of a paired phone.

use phone::{Key, Request, content_digest};
use reqwest::Client;
use sea_orm::ConnectionTrait;
use serde_json::Value;
use server::platform::clock::Clock;
use testkit::{Answer, App, Person, on_each_database};

/// Method and path of every route that takes a device's token and proof, from the contract.
fn routes() -> Vec<(String, String)> {
    let contract: Value = serde_json::from_str(&server::app::contract().unwrap()).unwrap();
    let mut found = Vec::new();
    for (path, methods) in contract["paths"].as_object().unwrap() {
        for (method, route) in methods.as_object().unwrap() {
            if route["security"][0]["device_token"].is_array() {
                found.push((method.to_uppercase(), path.clone()));
            }
        }
    }
    assert!(found.len() >= 8, "{found:?}");
    found
}

/// Calls a route with a true proof of this person's phone, and an empty object for a body.
async fn call(app: &App, person: &Person, (method, path): &(String, String)) -> Answer {
    let memory = person.phone.pairing();
    let path = path.replace("{id}", "00000000-0000-4000-8000-000000000000");
    let url = format!("{}{path}", app.url);
    let body = if method == "GET" { "" } else { "{}" };
    let proof = Key::from_pem(&memory.key)
        .unwrap()
        .prove(&Request {
            method,
            url: &url,
            token: Some(&memory.device_token),
            body: body.as_bytes(),
            at: app.clock.now(),
        })
        .unwrap();
    let request = Client::new()
        .request(method.parse().unwrap(), url)
        .header("DPoP", proof)
        .header("Authorization", format!("DPoP {}", memory.device_token))
        .header("Content-Digest", content_digest(body.as_bytes()))
        .body(body);
    Answer::to(request).await
}

on_each_database! {
    async fn phones_of_a_site_that_is_switched_off_are_unknown_everywhere(app: App) {
        let site = app.site("a.example").await;
        let (ann, bob) = (site.paired("ann@example.com").await, site.paired("bob@example.com").await);
        for route in routes() {
            // After this one there is no phone left to try the others with.
            let erases = route.0 == "DELETE" && route.1.ends_with("/client");
            let person = if erases { &bob } else { &ann };
            let answer = call(&app, person, &route).await;
            assert_ne!(answer.code(), 1050, "{route:?} while the site is on");
        }
        let off = "update sites set disabled_at = created_at";
        app.app.state.db.execute_unprepared(off).await.unwrap();
        for route in routes() {
            let answer = call(&app, &ann, &route).await;
            assert_eq!((answer.status, answer.code()), (401, 1050), "{route:?}");
        }
    }
}
