//! Sites: a website or application, its keys and its settings.

mod credentials;
mod domain;
pub mod http;
mod model;
mod name;
mod origins;
pub mod pages;
pub mod redis_acl;
pub mod redis_trial;
mod redis_user;
mod secrets;
mod store;
mod test_site;
mod tokens;

pub use credentials::{revoke_tokens, switch};
pub use domain::{Domain, DomainError};
pub use model::{Liveness, NewSite, Site, SiteError, SiteSettings};
pub use name::rename;
pub use origins::Origins;
pub use redis_user::{
    RedisUser, all_redis_users, find_redis_user, forget_redis_user, give_redis_user,
    remove_redis_user,
};
pub use secrets::{
    Rotation, SiteSecret, forget_secrets, live_secrets, revoke_secret, rotate_secret,
};
pub use store::{
    all, authenticate, change_settings, create, create_in, dashboard, dashboard_or_new, find,
    find_enabled, set_test_mode, some,
};
pub use test_site::TestSite;
pub use tokens::{
    SiteToken, find_token, forget_signing_keys, forget_tokens, live_tokens, note_token_use,
    revoke_token, rotate_signing, still_live, tokens_by_key,
};
