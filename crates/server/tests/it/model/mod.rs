//! Random orders of everything that can happen, against a small model that is nothing but the rules: whatever the
//! order, and through whichever of two servers, the program answers what the model says.

mod pairing;
mod rules;
mod sign_on;

use std::{fmt::Debug, sync::Arc};

use phone::{Phone, PhoneError};
use proptest::{
    strategy::Strategy,
    test_runner::{Config, RngSeed, TestRunner},
};
use sea_orm::{ConnectionTrait, Statement};
use server::platform::config::Settings;
use testkit::{App, Backend, Scripted};
use tokio::{runtime::Handle, task::block_in_place};
use uuid::Uuid;

use crate::device_register::code;

/// Orders that are tried on each database.
const CASES: u32 = 12;

/// Two servers of one installation, with cheap faces and no limits but those of the model.
struct World {
    servers: [App; 2],
    sites: [Backend; 2],
}

impl World {
    async fn new(app: &App) -> Self {
        let generous = |settings: &mut Settings| {
            let limits = &mut settings.limits;
            for limit in [
                &mut limits.push_per_ip,
                &mut limits.push_per_client,
                &mut limits.verify_per_ip,
                &mut limits.verify_per_sign_on,
                &mut limits.other_per_ip,
                &mut limits.enrol_per_device,
            ] {
                *limit = 1_000_000;
            }
        };
        let engine = Arc::new(Scripted::version("1"));
        let one = App::start_with(app.database.clone(), engine.clone(), generous).await;
        let two = one.beside(engine, generous).await;
        let site = one.site("a.example").await;
        let there = site.through(&two.url);
        Self {
            servers: [one, two],
            sites: [site, there],
        }
    }

    /// A phone as it talks to each of the servers.
    fn phones(&self, phone: &Phone) -> [Phone; 2] {
        [0, 1].map(|at| {
            let mut memory = phone.pairing().clone();
            memory.server.clone_from(&self.servers[at].url);
            Phone::wake(memory, self.servers[at].clock.clone()).unwrap()
        })
    }
}

/// Tries random orders; one that fails is made as short as can be, and printed with the seed of all.
fn try_orders<S: Strategy>(orders: &S, live: impl AsyncFn(S::Value)) {
    let seed = std::env::var("AXIAM_TEST_SEED").ok();
    let seed = seed.map_or_else(rand::random, |text| text.parse::<u64>().unwrap());
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: 100,
        rng_seed: RngSeed::Fixed(seed),
        ..Config::default()
    };
    let tried = TestRunner::new(config).run(orders, |order| {
        block_in_place(|| Handle::current().block_on(live(order)));
        Ok(())
    });
    if let Err(failure) = tried {
        panic!("AXIAM_TEST_SEED={seed} does it again: {failure}");
    }
}

/// A number in the row of this id.
async fn number(app: &App, query: &str, id: Uuid) -> i64 {
    let db = &app.app.state.db;
    let backend = db.get_database_backend();
    let statement = Statement::from_sql_and_values(backend, query, [id.into()]);
    let row = db.query_one_raw(statement).await.unwrap().unwrap();
    let number: i32 = row.try_get("", "n").unwrap();
    number.into()
}

/// The code of a refusal; 0 for what was done.
fn told<T: Debug>(result: Result<T, PhoneError>) -> u64 {
    match result {
        Ok(_) => 0,
        refused => code(refused),
    }
}
