//! Builds the state and puts the slices' routes together.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use ::cable::Cable;
use axum::{Router, extract::DefaultBodyLimit, http::Uri, middleware};
use face::FaceEngine;
use sea_orm::{DatabaseConnection, DbErr};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    account, audit,
    cable::{self, Connected, Publisher},
    client,
    demo::{self, Demo},
    device, docs, enrolment, erasure, face as faces,
    http::{
        contract::{Schemes, add_common_answers},
        cors::{self, PageRoutes},
        drain::drain,
        error::Failure,
        headers, health, request, tls,
    },
    limit,
    pages::{self, dashboard::Routes},
    platform::{
        clock::{Clock, Steps, seconds},
        config::Settings,
        engine::Workers,
        keys::Keyring,
        mail::Post,
        outbox::{self, Outbox},
        outgoing::Outgoing,
        passwords::Passwords,
        places::Places,
        shares::Shares,
        state::{Shared, State},
        tls::Certificates,
        wake_ups::WakeUps,
    },
    push::{self, PushCourier},
    retention::Retention,
    session, sign_on, site, trust,
    webhook::{self, WebhookCourier},
};

pub use crate::http::request::API;

/// How often one phone may wait for a sign-on at once: those that lost their network still wait here for a while.
const POLLS_OF_A_PHONE: usize = 4;

/// The program, ready to serve.
#[derive(Clone)]
pub struct App {
    /// What every route and channel shares.
    pub state: Shared,
    /// The cable that pages and phones are connected to.
    pub cable: Cable,
    /// Who tells what happens.
    pub publisher: Arc<Publisher>,
    /// What the cable's connections have proven.
    connected: Arc<Connected>,
    /// Removes what is too old.
    retention: Arc<Retention>,
    /// Tells others what is in the outbox.
    pub outbox: Arc<Outbox>,
    /// How the clock has moved from sweep to sweep.
    steps: Arc<Mutex<Steps>>,
    /// The demo site, where it is served.
    demo: Option<Demo>,
    /// The certificate, where this program does TLS itself.
    certificates: Option<Arc<Certificates>>,
}

impl App {
    /// Puts the parts together.
    #[must_use]
    pub fn new(
        settings: Settings,
        db: DatabaseConnection,
        clock: Arc<dyn Clock>,
        keys: Keyring,
        engine: Arc<dyn FaceEngine>,
        cable: Cable,
    ) -> Self {
        let engine = Workers::new(engine, settings.face.workers, settings.face.queue);
        let kibibytes = usize::try_from(settings.server.upload_memory / 1024).unwrap_or(0);
        let connections = settings.server.connections;
        let post = Post::new(&settings);
        let state = Arc::new(State {
            proxies: RwLock::new(settings.server.trusted_proxies.as_slice().into()),
            settings,
            db,
            clock,
            keys,
            engine,
            events: crate::platform::events::Events::default(),
            wake_ups: WakeUps::default(),
            places: Places::default(),
            called: Mutex::default(),
            passwords: Passwords::default(),
            post,
            uploads: Shares::of(kibibytes),
            polls: Shares::with_device_most(connections / 2, POLLS_OF_A_PHONE),
            subscriptions: Shares::of(connections.saturating_mul(2)),
        });
        let publisher = Publisher::start(&state, &cable);
        let outgoing = Arc::new(Outgoing::new(&state.settings.outgoing));
        let outbox = Outbox::open(
            vec![
                Box::new(WebhookCourier(outgoing.clone())),
                Box::new(PushCourier::new(outgoing, Box::new(sign_on::Announced))),
                Box::new(account::LetterCourier),
            ],
            &state.events,
        );
        Self {
            state,
            cable,
            publisher,
            outbox,
            connected: Arc::default(),
            retention: Arc::default(),
            steps: Arc::default(),
            demo: None,
            certificates: None,
        }
    }

    /// The same, serving the pages of a demo site.
    #[must_use]
    pub fn with_demo(mut self, demo: Option<Demo>) -> Self {
        self.demo = demo;
        self
    }

    /// The same, showing a certificate itself.
    #[must_use]
    pub fn with_certificates(mut self, certificates: Option<Arc<Certificates>>) -> Self {
        self.certificates = certificates;
        self
    }

    /// Every route of the program.
    pub fn router(&self) -> Router {
        let (api, contract) = described().split_for_parts();
        let open_to_pages = PageRoutes::of(&contract);
        let paths: Arc<[String]> = contract.paths.paths.keys().cloned().collect();
        // The pages of slices are merged here.
        let mut slices = Router::new()
            .merge(device::pages::router())
            .merge(docs::pages::router(contract.clone()))
            .merge(dashboard().into_router());
        if let Some(demo) = &self.demo {
            let backend = api.clone().with_state(self.state.clone());
            slices = slices.merge(demo::pages::router(demo, backend));
        }
        let certificates = self.certificates.as_deref();
        if let Some(authority) = certificates.and_then(Certificates::authority) {
            slices = slices.merge(trust::pages::router(authority));
        }
        api.merge(pages::router(
            &self.state,
            contract,
            slices,
            self.demo.is_some(),
        ))
        .fallback(async move |uri: Uri| request::no_route(&uri, &paths))
        .method_not_allowed_fallback(request::no_method)
        .with_state(self.state.clone())
        .merge(cable::http::router(
            &self.state,
            &self.cable,
            &self.connected,
        ))
        .merge(health::router(&self.state, &self.cable))
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn(request::unpacked))
        .layer(CatchPanicLayer::custom(request::panicked))
        .layer(middleware::from_fn(pages::error::for_browsers))
        .layer(middleware::from_fn_with_state(open_to_pages, cors::answer))
        .layer(middleware::from_fn(drain))
        .layer(middleware::from_fn_with_state(
            self.state.clone(),
            tls::only,
        ))
        .layer(middleware::from_fn_with_state(
            self.state.clone(),
            request::note_caller,
        ))
        .layer(middleware::from_fn(request::identify))
        .layer(middleware::from_fn_with_state(
            self.state.clone(),
            headers::secure,
        ))
    }

    /// Ends what is overdue and forgets what is of no more use. Called every second by `serve`,
    /// and by tests when they have moved the clock.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self) -> Result<(), DbErr> {
        let now = self.state.now();
        sign_on::expire_due(&self.state).await?;
        sign_on::answer_overdue(&self.state).await?;
        self.publisher.sweep().await?;
        self.connected.sweep(&self.state).await?;
        if self.is_steady() {
            site::forget_tokens(&self.state.db, now).await?;
            site::forget_secrets(&self.state.db, now).await?;
            device::forget_proofs(&self.state.db, now).await?;
            faces::forget_frames(&self.state.db, now).await?;
        }
        limit::forget(&self.state).await?;
        self.outbox.expire(&self.state).await?;
        session::forget(&self.state.db, now).await?;
        account::forget_links(&self.state.db, now).await?;
        self.retention.keep(&self.state).await
    }

    fn is_steady(&self) -> bool {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.is_steady(&*self.state.clock)
    }

    /// Shortens what people wait for, and what ends by itself, to what it could be by the present time.
    /// Called when `serve` starts and when it sees the clock go back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bound_waits(&self) -> Result<(), DbErr> {
        let (state, now) = (&self.state, self.state.now());
        limit::forget(state).await?;
        client::bound_locks(&state.db, &state.settings.lock, now).await?;
        device::bound_locks(&state.db, &state.settings.lock, now).await?;
        let settings = &state.settings;
        sign_on::bound_freezes(&state.db, seconds(settings.sign_on.freeze), now).await?;
        sign_on::bound_lives(&state.db, &settings.sign_on, now).await?;
        outbox::bound_waits(&state.db, now).await?;
        enrolment::bound_lives(&state.db, seconds(settings.enrolment.lifetime), now).await?;
        session::bound_lives(&state.db, &settings.session, now).await
    }
}

/// The dashboard's routes, with who may use each.
#[must_use]
pub fn dashboard() -> Routes {
    account::pages::routes()
        .merge(site::pages::routes())
        .merge(sign_on::pages::routes())
        .merge(client::pages::routes())
        .merge(enrolment::pages::routes())
        .merge(device::pages::routes())
        .merge(erasure::pages::routes())
        .merge(push::pages::routes())
        .merge(webhook::pages::routes())
        .merge(audit::pages::routes())
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Axiam",
        description = "Face sign-on for websites. Every answer is an envelope: \
            `{success: true, data}` or `{success: false, message, user_message, error, code, http_code}`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    modifiers(&Schemes),
    components(schemas(Failure)),
    tags(
        (name = "site", description = "a site's tokens"),
        (name = "client", description = "the people a site knows"),
        (name = "login", description = "sign-on, the site's half"),
        (name = "phone", description = "what the phone calls, each request signed by its key"),
    )
)]
struct Contract;

fn described() -> OpenApiRouter<Shared> {
    let api = OpenApiRouter::new()
        .merge(site::http::router())
        .merge(client::http::router())
        .merge(enrolment::http::router())
        .merge(device::http::router())
        .merge(faces::http::router())
        .merge(sign_on::http::router())
        .merge(erasure::http::router());
    let mut router = OpenApiRouter::with_openapi(Contract::openapi())
        .nest(API, api)
        .merge(site::http::well_known());
    add_common_answers(router.get_openapi_mut());
    router
}

/// The contract as JSON, as it is served and committed.
///
/// # Errors
/// Only when it cannot be written as JSON.
pub fn contract() -> Result<String, serde_json::Error> {
    described()
        .into_openapi()
        .to_pretty_json()
        .map(|text| text + "\n")
}
