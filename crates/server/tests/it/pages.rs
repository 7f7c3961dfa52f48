use testkit::{App, on_each_database};

on_each_database! {
    async fn the_first_page_says_what_runs_here_and_what_to_do(app: App) {
        let response = reqwest::get(&app.url).await.unwrap();
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'"));
        let page = response.text().await.unwrap();
        assert!(page.contains("Axiam is running") && page.contains("takes a still photo for a face"));
        assert!(!page.contains("<script") && !page.contains("style="));
        for link in ["/pages.css", "/api/openapi.json", "/.well-known/jwks.json"] {
            assert!(page.contains(link));
            let response = reqwest::get(format!("{}{link}", app.url)).await.unwrap();
            assert_eq!(response.status(), 200, "{link}");
        }
    }
}
