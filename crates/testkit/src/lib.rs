//! For tests only: the real app on a random port, both databases, a clock that stands still until
//! it is told, a site's backend, a phone with a real key, real photos.

mod app;
mod backend;
mod clock;
mod contract;
mod database;
mod google;
mod mail_server;
mod networks;
mod page;
mod photos;
mod receiver;
mod scripted;
mod statements;

pub use app::App;
pub use backend::{Answer, Backend, Person};
pub use clock::TestClock;
pub use contract::hold as hold_to_contract;
pub use database::{Database, Engine};
pub use google::{Fault, Google, Held, Slow, service_account};
pub use mail_server::{Letter, MailServer};
pub use networks::{Network, networks};
pub use page::Page;
pub use photos::{Photos, photos};
pub use receiver::{Reaction, Received, Receiver};
pub use scripted::Scripted;
pub use statements::Statements;

/// Says on the terminal what is left out; the test runner captures ordinary output of tests that
/// pass.
pub fn skipped(what: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
}

/// A test that runs twice, on SQLite and on PostgreSQL, with a fresh app and a fresh database.
///
/// ```text
/// on_each_database! {
///     async fn a_new_site_has_no_clients(app: App) { … }
/// }
/// ```
#[macro_export]
macro_rules! on_each_database {
    ($(
        $(#[$note:meta])*
        async fn $name:ident($app:ident: $kind:ident $(, |$settings:ident| $change:expr)?) $body:block
    )*) => {
        $(
            $(#[$note])*
            mod $name {
                #[allow(unused_imports)]
                use super::*;

                async fn body($app: $kind) $body

                #[allow(unused_variables, unused_mut)]
                fn run(engine: $crate::Engine) {
                    $crate::App::run(
                        engine,
                        |settings| {
                            $(let $settings = settings; $change)?
                        },
                        body,
                    );
                }

                #[test]
                fn sqlite() {
                    run($crate::Engine::Sqlite);
                }

                #[test]
                fn postgres() {
                    run($crate::Engine::Postgres);
                }
            }
        )*
    };
}
