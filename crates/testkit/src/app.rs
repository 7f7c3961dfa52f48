//! The real app on a random port of this machine.

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use face::{Engine as FacePack, FaceEngine};
use futures_util::FutureExt;
use server::{
    http::listen::{self, Bounds},
    platform::{
        clock::Clock,
        config::{Overrides, Settings},
        keys::Keyring,
    },
    site::{self, Liveness, SiteSettings},
};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::{
    backend::Backend,
    clock::TestClock,
    database::{Database, Engine},
    photos::root,
    statements::Statements,
};

/// A running app and what a test holds of it.
pub struct App {
    /// Where it listens, `http://127.0.0.1:port`.
    pub url: String,
    /// The app itself, to look behind the scenes.
    pub app: server::app::App,
    /// The clock that this app lives by, to be turned by the test.
    pub clock: Arc<TestClock>,
    /// Where it keeps its data.
    pub database: Arc<Database>,
    /// What it asks the database while it answers.
    pub statements: Statements,
}

/// The default pack, loaded once for all tests of a binary.
fn engine() -> Arc<dyn FaceEngine> {
    static ENGINE: OnceLock<Arc<FacePack>> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| {
        let dir = std::env::var_os("AXIAM_FACE_PACK")
            .map_or_else(|| root().join("models/build/default"), PathBuf::from);
        let engine =
            FacePack::load(&dir).unwrap_or_else(|error| panic!("{error}: run `make models`"));
        Arc::new(engine)
    });
    engine.clone()
}

impl App {
    /// Runs a test against a fresh app on a fresh database.
    ///
    /// # Panics
    /// When the test does.
    pub fn run<F: Future<Output = ()>>(
        engine: Engine,
        change: impl FnOnce(&mut Settings),
        test: impl FnOnce(Self) -> F,
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let outcome = runtime.block_on(async {
            let Some(database) = Database::create(engine).await else {
                return Ok(());
            };
            let app = Self::start(Arc::new(database), change).await;
            AssertUnwindSafe(test(app)).catch_unwind().await
        });
        runtime.shutdown_background();
        if let Err(panic) = outcome {
            resume_unwind(panic);
        }
    }

    /// Starts an app on a database, which others may use too.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start(database: Arc<Database>, change: impl FnOnce(&mut Settings)) -> Self {
        Self::start_with(database, engine(), change).await
    }

    /// Starts an app with another face engine.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start_with(
        database: Arc<Database>,
        engine: Arc<dyn FaceEngine>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let clock = Arc::new(TestClock::default());
        Box::pin(Self::start_by(clock, database, engine, change)).await
    }

    /// Starts another server of the same installation, which lives by the same clock.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn beside(
        &self,
        engine: Arc<dyn FaceEngine>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        Box::pin(Self::start_by(
            self.clock.clone(),
            self.database.clone(),
            engine,
            change,
        ))
        .await
    }

    async fn start_by(
        clock: Arc<TestClock>,
        database: Arc<Database>,
        engine: Arc<dyn FaceEngine>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let mut settings = Settings::load(&Overrides {
            data_dir: Some(database.folder().to_owned()),
            listen: Some(address.to_string()),
            ..Overrides::default()
        })
        .expect("the default settings");
        // The clock stands still here, so that every test would wait; tests of pauses set it again.
        settings.sign_on.pushes_before_pause = u32::MAX;
        change(&mut settings);
        let mut db = database.open().await;
        let statements = Statements::of(&mut db);
        let keys = Keyring::open(&db, &settings.master_key_file(), clock.now())
            .await
            .expect("the keys open");
        let cable = server::cable::open(&settings, &keys)
            .await
            .expect("Redis answers");
        let app = server::app::App::new(settings, db, clock.clone(), keys, engine, cable);
        let bounds = Bounds {
            connections: app.state.settings.server.connections,
            head: Duration::from_secs(app.state.settings.server.head_timeout.into()),
            grace: Duration::ZERO,
        };
        let (routes, state) = (app.router(), app.state.clone());
        let serving = listen::serve(listener, routes, state, bounds, std::future::pending());
        tokio::spawn(serving);
        Self {
            url: format!("http://{address}"),
            app,
            clock,
            database,
            statements,
        }
    }

    /// Delivers what is due in the outbox, until nothing is. How many attempts that took.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn deliver(&self) -> usize {
        let outbox = &self.app.outbox;
        outbox.carry_due(&self.app.state).await.expect("carried")
    }

    /// Registers a site and signs its backend in.
    ///
    /// # Panics
    /// When that fails.
    pub async fn site(&self, domain: &str) -> Backend {
        let now = self.clock.now();
        let new = site::create(
            &self.app.state.db,
            &self.app.state.keys,
            (domain, false),
            now,
        )
        .await
        .expect("a site");
        self.change_settings(new.site.id, |settings| {
            // Photos stand in for people, who cannot turn their heads; tests of liveness set it again.
            settings.liveness = Liveness::Off;
            // Nobody reads a page's number here; tests of numbers set it again.
            settings.number_matching = false;
        })
        .await;
        Backend::sign_in(&self.url, self.clock.clone(), new).await
    }

    /// Registers a site with other settings.
    ///
    /// # Panics
    /// When that fails.
    pub async fn site_with(
        &self,
        domain: &str,
        change: impl FnOnce(&mut SiteSettings) + Send,
    ) -> Backend {
        let backend = self.site(domain).await;
        self.change_settings(backend.site_id, change).await;
        backend
    }

    /// Changes a site's settings, as its owner does.
    ///
    /// # Panics
    /// When that fails.
    pub async fn change_settings(
        &self,
        site_id: Uuid,
        change: impl FnOnce(&mut SiteSettings) + Send,
    ) {
        let changed = |settings: &SiteSettings| {
            let mut settings = settings.clone();
            change(&mut settings);
            Ok(settings)
        };
        let (state, now) = (&self.app.state, self.clock.now());
        site::change_settings(&state.db, &state.keys, site_id, changed, now)
            .await
            .expect("stored");
    }
}
