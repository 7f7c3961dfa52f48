//! `axiam site webhook`.

use chrono::TimeDelta;
use clap::{Args, Subcommand};
use sea_orm::DatabaseConnection;
use serde_json::json;
use uuid::Uuid;

use super::lookup::find;
use crate::{
    cli::{CommandError, out},
    platform::{
        clock::{Clock, SystemClock},
        config::Settings,
        keys::Keyring,
        outbox::{self, Fate, Parcel, Stage},
        outgoing::Outgoing,
        secret::Secret,
    },
    webhook::{self, Replay, Topic, Topics, Wanted, Webhook, WebhookError},
};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Add a webhook and print its secret, this once
    Add {
        /// The site's id.
        site: Uuid,
        /// Where messages are posted to: an https:// address on the Internet.
        #[arg(long)]
        url: String,
        /// What it is told of, with commas between, for example sign_on.failed,client.locked. Without: everything.
        #[arg(long, value_delimiter = ',', value_name = "EVENTS")]
        events: Vec<String>,
        /// Print the webhook and its secret as JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// List a site's webhooks
    List {
        /// The site's id.
        site: Uuid,
        /// Print the webhooks as JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Take a webhook away, and what it was and is still to be told
    Remove(Named),
    /// Give a webhook another secret, shown this once; the present one signs beside it for a while
    RotateSecret {
        #[command(flatten)]
        named: Named,
        /// Seconds for which messages carry a signature by the present secret too; 0 where it has been stolen.
        #[arg(long, default_value_t = 86_400)]
        overlap: u32,
        /// Print the new secret as JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Switch a webhook off: it is told nothing, and what happens meanwhile is not kept for it
    Disable(Named),
    /// Switch a webhook on again
    Enable(Named),
    /// Send a message that tells of nothing, once, and say what came of it
    Test(Named),
    /// Show what a webhook was told lately, and what could not be delivered
    Deliveries {
        #[command(flatten)]
        named: Named,
        /// Only what was given up.
        #[arg(long)]
        dead: bool,
        /// How many at most, the latest first.
        #[arg(long, default_value_t = 20)]
        last: u64,
        /// Print them as JSON, with what was said, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Deliver messages once more, under the ids they had
    Replay {
        #[command(flatten)]
        named: Named,
        /// Id of a delivery, as `deliveries` prints it.
        #[arg(long, required_unless_present = "dead", conflicts_with = "dead")]
        delivery: Option<Uuid>,
        /// All that were given up; of more than 500 the latest.
        #[arg(long)]
        dead: bool,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Named {
    /// The site's id.
    site: Uuid,
    /// The webhook's id, as `axiam site webhook list` prints it.
    webhook: Uuid,
}

type Opened<'a> = (&'a DatabaseConnection, &'a Keyring);

pub(super) async fn run(
    settings: &Settings,
    opened: Opened<'_>,
    command: Command,
) -> Result<(), CommandError> {
    let now = SystemClock.now();
    match command {
        Command::Add {
            site,
            url,
            events,
            json,
        } => {
            let outgoing = Outgoing::new(&settings.outgoing);
            let topics: Result<Vec<_>, _> = events.iter().map(|name| Topic::parse(name)).collect();
            let site = find(opened.0, site).await?;
            let wanted = Wanted {
                id: Uuid::new_v4(),
                url: &url,
                topics: Topics(topics?),
            };
            let (added, secret) = webhook::add(opened, &outgoing, site.id, wanted, now).await?;
            show_secret(&added, &secret, json);
        }
        Command::List { site, json } => {
            let site = find(opened.0, site).await?;
            list(&webhook::of_site(opened.0, site.id).await?, json);
        }
        Command::Remove(named) => {
            let found = named.find(opened).await?;
            webhook::remove(opened, &found, now).await?;
            say!("{} is told nothing any more.", found.url);
        }
        Command::RotateSecret {
            named,
            overlap,
            json,
        } => {
            let found = named.find(opened).await?;
            let both_for = TimeDelta::seconds(overlap.into());
            let secret = webhook::rotate_secret(opened, &found, both_for, now).await?;
            show_secret(&found, &secret, json);
            if !json {
                say!("The one before signs beside it for {overlap} s.");
            }
        }
        Command::Disable(named) => {
            let found = named.find(opened).await?;
            webhook::switch(opened, &found, Some("by the operator"), now).await?;
            say!("{} is off.", found.url);
        }
        Command::Enable(named) => {
            let found = named.find(opened).await?;
            webhook::switch(opened, &found, None, now).await?;
            say!("{} is on.", found.url);
        }
        Command::Test(named) => test(settings, opened, &named).await?,
        Command::Deliveries {
            named,
            dead,
            last,
            json,
        } => {
            let found = named.find(opened).await?;
            let only = dead.then_some(Stage::Dead);
            show(&outbox::listed(opened.0, found.id, only, last).await?, json);
        }
        Command::Replay {
            named, delivery, ..
        } => {
            let found = named.find(opened).await?;
            let what = delivery.map_or(Replay::Dead, Replay::One);
            match webhook::replay(opened.0, &found, what, now).await? {
                0 => say!("There is nothing to replay: what waits is delivered anyway."),
                count => say!("{count} message(s) are delivered once more, by a running server."),
            }
        }
    }
    Ok(())
}

impl Named {
    async fn find(&self, (db, _): Opened<'_>) -> Result<Webhook, CommandError> {
        let site = find(db, self.site).await?;
        let found = webhook::find(db, site.id, self.webhook).await?;
        Ok(found.ok_or(WebhookError::NotFound)?)
    }
}

fn show_secret(webhook: &Webhook, secret: &Secret, as_json: bool) {
    let secret = secret.reveal();
    if as_json {
        let printed = json!({
            "webhook_id": webhook.id, "url": webhook.url, "events": webhook.topics, "secret": secret,
        });
        say!("{printed:#}");
        return;
    }
    say!("webhook_id  {}", webhook.id);
    say!("events      {}", webhook.topics.words());
    say!("secret      {secret}   (keep it: it is not shown again)");
}

fn list(webhooks: &[Webhook], as_json: bool) {
    let none =
        "No webhooks yet. Add one: axiam site webhook add ID --url https://example.com/axiam";
    let in_json = |webhook: &Webhook| {
        json!({
            "webhook_id": webhook.id, "url": webhook.url, "events": webhook.topics,
            "enabled": webhook.disabled_at.is_none(), "disabled_for": webhook.disabled_for,
        })
    };
    let line = |webhook: &Webhook| {
        let state = match webhook.disabled_at {
            Some(_) => format!("  off: {}", webhook.disabled_for),
            None => String::new(),
        };
        format!(
            "{}  {}  {}{state}",
            webhook.id,
            webhook.url,
            webhook.topics.words()
        )
    };
    out::list(webhooks, as_json, none, in_json, line);
}

async fn test(settings: &Settings, opened: Opened<'_>, named: &Named) -> Result<(), CommandError> {
    let found = named.find(opened).await?;
    let outgoing = Outgoing::new(&settings.outgoing);
    match webhook::try_out(opened, &outgoing, &found, SystemClock.now()).await? {
        Fate::Delivered(said) => {
            say!("Delivered: {said}.");
            Ok(())
        }
        Fate::Later(said, _) | Fate::Refused(said) => Err(format!("not delivered: {said}").into()),
    }
}

fn show(parcels: &[Parcel], as_json: bool) {
    let in_json = |parcel: &Parcel| {
        json!({
            "delivery_id": parcel.id, "message_id": webhook::message_id(parcel),
            "event": parcel.topic, "state": parcel.state.as_str(), "attempts": parcel.attempts,
            "said": parcel.said, "created_at": parcel.created_at, "ended_at": parcel.ended_at,
            "next_at": parcel.ended_at.is_none().then_some(parcel.next_at), "body": parcel.body,
        })
    };
    let line = |parcel: &Parcel| {
        let at = parcel.created_at.format("%Y-%m-%d %H:%M:%S");
        format!(
            "{}  {at}  {:<18}  {:<9}  {} attempt(s)  {}",
            parcel.id,
            parcel.topic,
            parcel.state.as_str(),
            parcel.attempts,
            parcel.said
        )
    };
    out::list(parcels, as_json, "Nothing.", in_json, line);
}
