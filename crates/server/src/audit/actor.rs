//! Who does what is done now. Every line of the log says it, so it travels with the request rather than
//! through every function: the door notes what a caller has proven, and the log reads it.

use std::{cell::RefCell, fmt};

use uuid::Uuid;

use crate::platform::network::Network;

/// Someone who can do things.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Actor {
    /// A caller who has proven nothing.
    #[default]
    Stranger,
    /// A site's backend, by its token or its keys.
    Backend,
    /// A page of a site, by a widget token.
    Page,
    /// A paired phone, by its key.
    Device(Uuid),
    /// Someone at the dashboard, by their account.
    Account(Uuid),
    /// Whoever runs the command line, by the name that the system gives them.
    Operator(String),
    /// The program itself: what time brings about.
    Server,
}

/// As it is logged.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stranger => f.write_str("stranger"),
            Self::Backend => f.write_str("backend"),
            Self::Page => f.write_str("page"),
            Self::Device(id) => write!(f, "device {id}"),
            Self::Account(id) => write!(f, "account {id}"),
            Self::Operator(name) if name.is_empty() => f.write_str("operator"),
            Self::Operator(name) => write!(f, "operator {name}"),
            Self::Server => f.write_str("server"),
        }
    }
}

/// Who does what is done now, and from where.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// What they have proven to be.
    pub actor: Actor,
    /// The network that the request came from, if it is one.
    pub network: Option<Network>,
    /// The site that they have proven to speak for.
    pub site_id: Option<Uuid>,
}

tokio::task_local! {
    static CALLER: RefCell<Caller>;
}

/// Runs what `caller` does.
pub async fn within<T>(caller: Caller, work: impl Future<Output = T>) -> T {
    CALLER.scope(RefCell::new(caller), work).await
}

/// Notes what the caller has proven.
pub fn proven(actor: Actor, site_id: Uuid) {
    // Outside of a request there is nobody to note it of.
    let _ = CALLER.try_with(|caller| {
        let mut caller = caller.borrow_mut();
        caller.actor = actor;
        caller.site_id = Some(site_id);
    });
}

/// Who does what is done now; the program itself outside of any request or command.
#[must_use]
pub fn current() -> Caller {
    CALLER
        .try_with(|caller| caller.borrow().clone())
        .unwrap_or(Caller {
            actor: Actor::Server,
            network: None,
            site_id: None,
        })
}
