//! Whatever is asked of the tracker, no database goes through all attempts for it, and none sorts a site's attempts.

use chrono::TimeDelta;
use sea_orm::{DbBackend, QueryTrait, Statement};
use uuid::Uuid;

use super::{
    After, failures,
    filter::{Filter, Reason, STATES, Whose},
    page, tally,
};
use crate::platform::{
    clock::{Clock, Moment, SystemClock},
    db::plans,
};

fn filters(now: Moment) -> Vec<Filter> {
    let since = [None, Some(now - TimeDelta::days(7))];
    let whose = || {
        [
            None,
            Some(Whose::SignOn(Uuid::new_v4())),
            Some(Whose::Clients(vec![Uuid::new_v4(), Uuid::new_v4()])),
            Some(Whose::Address("192.0.2.7".to_owned())),
        ]
    };
    let mut filters = Vec::new();
    for since in since {
        for whose in whose() {
            for states in [vec![], vec![STATES[1].0], vec![STATES[1].0, STATES[2].0]] {
                for reason in [None, Some(Reason::Face)] {
                    filters.push(Filter {
                        states: states.clone(),
                        reason,
                        since,
                        whose: whose.clone(),
                    });
                }
            }
        }
    }
    filters
}

#[tokio::test]
async fn every_question_is_answered_by_an_index() {
    let (now, site) = (SystemClock.now(), Uuid::new_v4());
    let after: After = format!("{}.{}", now.timestamp_micros(), Uuid::new_v4())
        .parse()
        .unwrap();
    for (db, _folder) in plans::databases().await {
        let backend = sea_orm::ConnectionTrait::get_database_backend(&db);
        let check = async |question: Statement, in_order: bool| {
            let plan = plans::plan(&db, &question).await;
            assert!(!plans::goes_through_all(&plan), "{}\n{plan}", question.sql);
            assert!(
                !in_order || !plans::sorts(&plan),
                "{}\n{plan}",
                question.sql
            );
        };
        for filter in filters(now) {
            // One attempt has no order.
            let in_order = !matches!(filter.whose, Some(Whose::SignOn(_)));
            for part in filter.readings() {
                for after in [None, Some(after)] {
                    let read = page::reading(site, &filter, part, after, 51);
                    check(read.build(backend), in_order).await;
                }
            }
        }
        let many = [site, Uuid::new_v4(), Uuid::new_v4()];
        let failed = failures::question(backend, &many, now, 5);
        // (What SQLite goes through here is what each part has found.)
        let plan = plans::plan(&db, &failed).await.replace("SCAN of_", "");
        assert!(
            !plans::goes_through_all(&plan) && !plans::sorts(&plan),
            "{plan}"
        );
        let by_index = plan.matches("sign_ons_failed").count();
        let is_well = by_index == many.len() || backend == DbBackend::Postgres;
        assert!(is_well, "what failed last has an index\n{plan}");
        let day = tally::counting(site, now.date_naive(), backend).build(backend);
        let plan = plans::plan(&db, &day).await;
        assert!(!plans::goes_through_all(&plan), "{plan}");
        // (PostgreSQL takes whichever index while the table is empty.)
        let counts_alone = plan.contains("COVERING INDEX") || backend == DbBackend::Postgres;
        assert!(counts_alone, "a day is counted without its rows\n{plan}");
    }
}
