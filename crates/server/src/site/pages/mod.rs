//! The dashboard's pages about sites, which it calls apps: the list, a new one, keys, lines to paste, settings.

mod apps;
mod connect;
mod keys;
mod new;
mod settings;

use crate::pages::dashboard::{Need, Routes};

/// The routes of this slice's pages.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .get(Need::Account, "/dashboard", apps::page)
        .get(Need::Account, "/dashboard/apps/new", new::page)
        .post(Need::Account, "/dashboard/apps/new", new::create)
        .get(Need::Viewer, "/dashboard/apps/{site}/keys", keys::page)
        .post(
            Need::Owner,
            "/dashboard/apps/{site}/keys/rotate",
            keys::rotate,
        )
        .post(
            Need::Owner,
            "/dashboard/apps/{site}/keys/tokens/revoke",
            keys::revoke_token,
        )
        .post(
            Need::Owner,
            "/dashboard/apps/{site}/keys/redis",
            keys::give_redis,
        )
        .post(
            Need::Owner,
            "/dashboard/apps/{site}/keys/redis/remove",
            keys::remove_redis,
        )
        .post(
            Need::Owner,
            "/dashboard/apps/{site}/keys/redis/test",
            keys::try_redis,
        )
        .get(
            Need::Viewer,
            "/dashboard/apps/{site}/connect",
            connect::page,
        )
        .get(
            Need::Viewer,
            "/dashboard/apps/{site}/settings",
            settings::page,
        )
        .post(
            Need::Owner,
            "/dashboard/apps/{site}/settings",
            settings::store,
        )
        .post(
            Need::Owner,
            "/dashboard/apps/{site}/settings/name",
            settings::rename,
        )
        .post(
            Need::Owner,
            "/dashboard/apps/{site}/settings/test-mode",
            settings::set_test_mode,
        )
        .post(
            Need::Owner,
            "/dashboard/apps/{site}/settings/revoke-tokens",
            settings::revoke_tokens,
        )
        .post(
            Need::Owner,
            "/dashboard/apps/{site}/settings/switch",
            settings::switch,
        )
}
