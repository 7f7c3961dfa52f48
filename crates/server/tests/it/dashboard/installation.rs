//! The installation's own log, for its administrators.

use reqwest::StatusCode;
use testkit::{App, on_each_database};

use super::{make_account, signed_in};
use crate::device_facial::count;

const LOG: &str = "/dashboard/audit";

on_each_database! {
    async fn what_concerns_no_app_is_read_checked_and_taken_out(app: App) {
        let site = app.site("a.example").await;
        make_account(&app, "root@example.com", true).await;
        make_account(&app, "ann@example.com", false).await;
        let root = signed_in(&app, "root@example.com").await;
        let page = root.get(LOG).await;
        assert_eq!(page.status, StatusCode::OK);
        for said in ["Audit log of the installation", "account created", "account signed in", "root@example.com"] {
            assert!(page.text.contains(said), "{said}: {}", page.text);
        }
        assert!(!page.text.contains(&site.site_id.to_string()), "an app has a log of its own");
        for shown in ["/dashboard", "/dashboard/account"] {
            assert!(root.get(shown).await.text.contains("href=\"/dashboard/audit\""), "{shown}");
        }
        let checked = root.post(&format!("{LOG}/check"), &[]).await;
        assert!(checked.text.contains("The chain is intact"), "{}", checked.text);
        let csv = root.get(&format!("{LOG}/csv")).await.text;
        assert!(csv.starts_with("site_id,line,") && csv.contains(",account_created,"));
        let ndjson = root.get(&format!("{LOG}/ndjson")).await.text;
        assert!(ndjson.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
        let left = "select count(*) as n from audit_events where action = 'data_exported' and detail = 'audit log'";
        assert_eq!(count(&app, left).await, 2);
        // Nobody else may, also not whoever owns an app; that they tried is a line of it.
        let ann = signed_in(&app, "ann@example.com").await;
        assert!(!ann.get("/dashboard").await.text.contains("/dashboard/audit"));
        let refused = ann.get(LOG).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(refused.text.contains("whoever runs this installation") && !refused.text.contains("root@example.com"));
        assert!(root.get(LOG).await.text.contains("dashboard, no administrator"));
    }

    async fn a_change_in_it_is_told(app: App) {
        make_account(&app, "root@example.com", true).await;
        let root = signed_in(&app, "root@example.com").await;
        let forge = "update audit_events set detail = 'nothing' where action = 'account_signed_in'";
        sea_orm::ConnectionTrait::execute_unprepared(&app.app.state.db, forge).await.unwrap();
        let checked = root.post(&format!("{LOG}/check"), &[]).await;
        assert!(checked.text.contains("The log was changed"), "{}", checked.text);
    }
}
