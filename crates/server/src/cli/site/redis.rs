//! `axiam site redis`: a site's own user in Redis.

use chrono::TimeDelta;
use sea_orm::DatabaseConnection;
use serde_json::{Value, json};
use uuid::Uuid;

use super::lookup::find;
use crate::{
    cli::{CommandError, out::minute},
    platform::{
        clock::{Clock, Moment, SystemClock},
        config::Settings,
        keys::Keyring,
        redis::connect,
        secret::Secret,
    },
    site::{
        self, RedisUser, Site, redis_acl as acl,
        redis_trial::{self, Verdict, Whose},
    },
};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Id of the site, as `axiam site list` prints it.
    id: Uuid,
    /// Make a new password and print it, this once; the old one ends at once.
    #[arg(long, conflicts_with = "remove")]
    rotate: bool,
    /// Days after which the new password ends by itself; without, it does not.
    #[arg(long, requires = "rotate")]
    days: Option<u32>,
    /// Take the user away.
    #[arg(long)]
    remove: bool,
    /// Try it: whether Redis answers, knows the user with its rights, and who listens now.
    #[arg(long, conflicts_with_all = ["remove", "rotate"])]
    test: bool,
    /// With --test: also sign in by the password that comes on standard input.
    #[arg(long, requires = "test")]
    password_stdin: bool,
    /// Print the address and password as JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// What a backend needs to listen.
pub(in crate::cli) struct Access {
    host: String,
    port: u16,
    user: Option<RedisUser>,
    password: Option<Secret>,
    channel_prefix: String,
}

impl Access {
    /// As the details of a site have it.
    pub(in crate::cli) fn json(&self) -> Value {
        let mut printed = json!({
            "host": self.host, "port": self.port, "prefix": self.channel_prefix,
            "user": self.user.as_ref().map(|user| &user.name),
            "expires_at": self.user.as_ref().and_then(|user| user.expires_at),
        });
        if let Some(password) = &self.password {
            printed["password"] = json!(password.reveal());
        }
        printed
    }

    pub(in crate::cli) fn print(&self) {
        say!("redis_host      {}", self.host);
        say!("redis_port      {}", self.port);
        match &self.user {
            Some(user) => say!("redis_user      {}{}", user.name, ending(user)),
            None => say!("redis_user      none yet: add --rotate to make one"),
        }
        if let Some(password) = &self.password {
            say!(
                "redis_password  {}   (keep it: it is not shown again; never send it to a browser)",
                password.reveal()
            );
        }
        say!("redis_prefix    {}:*", self.channel_prefix);
    }
}

fn ending(user: &RedisUser) -> String {
    let told = |until: Moment| format!("   (until {})", minute(until));
    user.expires_at.map(told).unwrap_or_default()
}

pub(in crate::cli) async fn run(
    settings: &Settings,
    db: &DatabaseConnection,
    keys: &Keyring,
    arguments: Arguments,
) -> Result<(), CommandError> {
    let site = find(db, arguments.id).await?;
    let Some((host, port)) = settings.redis.public_address() else {
        let text = "there is no Redis here (redis.url), so a backend cannot listen to events: it asks \
            GET login/status, and redeems what the page brings at POST login/validate_session";
        if arguments.rotate || arguments.remove || arguments.test {
            return Err(text.into());
        }
        say!("{text}");
        return Ok(());
    };
    if arguments.test {
        return test(settings, db, &site, arguments.password_stdin).await;
    }
    if arguments.remove {
        return remove(settings, (db, keys), &site).await;
    }
    let access = if arguments.rotate {
        let life = arguments.days.map(|days| TimeDelta::days(days.into()));
        give(settings, (db, keys), &site, life).await?
    } else {
        let user = site::find_redis_user(db, site.id).await?;
        Some(Access {
            host,
            port,
            user,
            password: None,
            channel_prefix: site.channel_prefix,
        })
    };
    if let Some(access) = access {
        if arguments.json {
            say!("{:#}", access.json());
        } else {
            access.print();
        }
    }
    Ok(())
}

/// Gives a site a user, or a new password; `None` without Redis.
pub(in crate::cli) async fn give(
    settings: &Settings,
    (db, keys): (&DatabaseConnection, &Keyring),
    site: &Site,
    life: Option<TimeDelta>,
) -> Result<Option<Access>, CommandError> {
    let Some((host, port)) = settings.redis.public_address() else {
        return Ok(None);
    };
    let (user, password) = site::give_redis_user(db, keys, site, life, SystemClock.now()).await?;
    let mut connection = connect(&settings.redis.url)?;
    if let Err(error) = acl::allow(&mut connection, &user, &site.channel_prefix, true).await {
        later(&error);
    }
    Ok(Some(Access {
        host,
        port,
        user: Some(user),
        password: Some(password),
        channel_prefix: site.channel_prefix.clone(),
    }))
}

async fn remove(
    settings: &Settings,
    (db, keys): (&DatabaseConnection, &Keyring),
    site: &Site,
) -> Result<(), CommandError> {
    let Some(user) = site::find_redis_user(db, site.id).await? else {
        say!("The site has no user in Redis.");
        return Ok(());
    };
    site::remove_redis_user(db, keys, site.id, SystemClock.now()).await?;
    let mut connection = connect(&settings.redis.url)?;
    match acl::remove(&mut connection, &user).await {
        Ok(()) => site::forget_redis_user(db, site.id).await?,
        Err(error) => later(&error),
    }
    say!("{} is removed.", user.name);
    Ok(())
}

async fn test(
    settings: &Settings,
    db: &DatabaseConnection,
    site: &Site,
    with_password: bool,
) -> Result<(), CommandError> {
    let password = match with_password {
        true => Some(Secret::from_text(
            std::io::read_to_string(std::io::stdin())?.trim(),
        )),
        false => None,
    };
    let user = site::find_redis_user(db, site.id).await?;
    let whose = Whose {
        site,
        user: user.as_ref(),
        password: password.as_ref(),
    };
    let found = redis_trial::try_out(&settings.redis.url, whose, SystemClock.now()).await;
    for one in &found {
        let word = match one.verdict {
            Verdict::Fine => "ok   ",
            Verdict::Mind => "note ",
            Verdict::Wrong => "WRONG",
        };
        say!("{word}  {}", one.told);
    }
    match found.iter().any(|one| one.verdict == Verdict::Wrong) {
        true => Err("a backend of this site cannot listen".into()),
        false => Ok(()),
    }
}

fn later(error: &redis::RedisError) {
    note!("Redis could not be told now ({error}); a running server tells it when it can.");
}
