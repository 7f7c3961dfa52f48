//! `axiam phone`.

mod album;
mod moments;
mod recorded;
mod sent;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, Subcommand};
use phone::{Album, Pairing, Phone, PhoneError, SystemClock};
use serde_json::Value;
use uuid::Uuid;

use self::sent::Sent;
use super::CommandError;
use crate::platform::config::Settings;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// File of the phone's key and pairing (default: phone.json in the data folder).
    #[arg(long = "phone", value_name = "FILE", global = true)]
    file: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Pair with what a QR code says
    Pair {
        /// The enrolment link, or its token alone.
        #[arg(value_name = "URL-or-token")]
        link: String,
        /// What to call this phone.
        #[arg(long, default_value = "command line")]
        name: String,
        /// What the person cannot do and is not asked for on this phone, such as look_up; several with commas.
        #[arg(long, value_name = "ACTION", value_delimiter = ',')]
        without: Vec<String>,
        /// Give up a pairing that the file already holds.
        #[arg(long)]
        replace: bool,
    },
    /// Enrol the face in photos or a video
    Enrol {
        /// Photos of one person in the order of the steps; or a video of one minute at most, or a folder of its frames, in which
        /// the person looks straight ahead and does what may be asked for (turn_left, turn_right, look_up, blink, open_mouth,
        /// come_closer), left and right being the person's own; or a folder of photos named by what they show:
        /// `turn_left-1.jpg`, or `1.jpg` in a folder `turn_left`. What is asked for is picked, other frames each time.
        #[arg(required = true)]
        photos: Vec<PathBuf>,
    },
    /// List the sign-ons that wait
    Pending {
        /// Wait up to so many seconds for one.
        #[arg(long, default_value_t = 0)]
        wait: u32,
        /// Print the sign-ons as JSON, as the phone gets them.
        #[arg(long)]
        json: bool,
    },
    /// Answer a sign-on with photos or a video
    Scan {
        /// Photos of the person in the order of the steps, or a video or a folder, as for `enrol`.
        #[arg(required = true)]
        photos: Vec<PathBuf>,
        /// Which one, where several wait.
        #[arg(long, value_name = "ID")]
        sign_on: Option<Uuid>,
        /// The number that the page shows.
        #[arg(long, value_name = "N")]
        number: Option<i32>,
    },
    /// List the person's phones
    Devices,
    /// Accept another phone of the person as theirs
    Confirm {
        /// Its id, as `devices` lists it.
        #[arg(value_name = "ID")]
        device: Uuid,
    },
    /// Say no to a sign-on
    Deny {
        /// Which one, where several wait.
        #[arg(long, value_name = "ID")]
        sign_on: Option<Uuid>,
        /// Say that it was not this person who asked.
        #[arg(long)]
        report: bool,
    },
}

/// So many choices are listed; of more the person types theirs.
const FEW: usize = 12;

/// Seconds to wait for a sign-on before saying that there is none.
const INBOX_WAIT: u32 = 10;

pub(super) async fn run(settings: &Settings, arguments: Arguments) -> Result<(), CommandError> {
    let file = arguments
        .file
        .unwrap_or_else(|| settings.data_dir.join("phone.json"));
    match arguments.command {
        Command::Pair {
            link,
            name,
            without,
            replace,
        } => {
            if !replace {
                refuse_held(&file)?;
            }
            pair(settings, &file, &link, &name, &without).await
        }
        Command::Enrol { photos } => enrol(settings, &file, &photos).await,
        Command::Pending { wait, json } => {
            let waiting = wake(&file)?.pending(wait).await?;
            if json {
                say!("{}", serde_json::to_string_pretty(&waiting)?);
            } else if waiting.is_empty() {
                say!("Nothing waits.");
            }
            if !json {
                waiting.iter().for_each(|sign_on| say!("{}", line(sign_on)));
            }
            Ok(())
        }
        Command::Scan {
            photos,
            sign_on,
            number,
        } => {
            let phone = wake(&file)?;
            let sent = Sent::by(&file)?;
            let album = fitting(settings, &phone, &photos, &sent).await?;
            let chosen = choose(&phone, sign_on).await?;
            let scanned = phone.scan_from(chosen, number, &album).await;
            sent.remember(&phone.sent());
            scanned.map_err(advised)?;
            say!("verified");
            Ok(())
        }
        Command::Devices => {
            let own = wake(&file)?.device().await?;
            let devices = own["devices"].as_array().into_iter().flatten();
            devices.for_each(|device| say!("{}", device_line(device)));
            Ok(())
        }
        Command::Confirm { device } => {
            wake(&file)?.confirm(device).await?;
            say!("confirmed");
            Ok(())
        }
        Command::Deny { sign_on, report } => {
            let phone = wake(&file)?;
            let chosen = choose(&phone, sign_on).await?;
            phone.deny(chosen, report).await?;
            say!(
                "{}",
                if report {
                    "denied and reported"
                } else {
                    "denied"
                }
            );
            Ok(())
        }
    }
}

async fn enrol(settings: &Settings, file: &Path, photos: &[PathBuf]) -> Result<(), CommandError> {
    let phone = wake(file)?;
    say!("Consent: {}", phone.pairing().consent_text);
    let sent = Sent::by(file)?;
    let album = fitting(settings, &phone, photos, &sent).await?;
    let enrolled = phone.enrol_from(&album).await;
    sent.remember(&phone.sent());
    enrolled.map_err(advised)?;
    say!(
        "uploaded: the face is enrolled for {}",
        phone.pairing().domain
    );
    Ok(())
}

fn refuse_held(file: &Path) -> Result<(), CommandError> {
    if !file.exists() {
        return Ok(());
    }
    Err(format!(
        "{} already holds a paired phone; use another file with --phone, or --replace",
        file.display()
    )
    .into())
}

async fn pair(
    settings: &Settings,
    file: &Path,
    link: &str,
    name: &str,
    without: &[String],
) -> Result<(), CommandError> {
    let server = settings.public_url();
    let phone = Phone::pair_without(link, &server, name, without, Arc::new(SystemClock)).await?;
    phone.pairing().write(file)?;
    say!(
        "registered: paired for {}; the key is in {}",
        phone.pairing().domain,
        file.display()
    );
    let own = phone.device().await?;
    let devices = own["devices"].as_array().into_iter().flatten();
    for this in devices.filter(|device| device["this"] == true && device["standing"] == "waiting") {
        say!(
            "waiting: enrol the same face here, and confirm {} on another phone of the person",
            text(&this["device_id"])
        );
    }
    Ok(())
}

fn wake(file: &Path) -> Result<Phone, CommandError> {
    Ok(Phone::wake(Pairing::read(file)?, Arc::new(SystemClock))?)
}

/// What there is to be sent to a server that asks for life as this phone's does.
async fn fitting(
    settings: &Settings,
    phone: &Phone,
    photos: &[PathBuf],
    sent: &Sent,
) -> Result<Album, CommandError> {
    let liveness = phone.device().await?["liveness"].take();
    let album = if liveness == "off" {
        album::album(settings, photos, sent.forgotten()).await?
    } else {
        album::album(settings, photos, sent.clone()).await?
    };
    if liveness == "active"
        && let Some(lacking) = album::lacks(&album)
    {
        let domain = &phone.pairing().domain;
        return Err(format!(
            "{domain} asks everybody to move, and no photo shows a {lacking}, which every challenge asks for. Nothing was \
             asked or sent"
        )
        .into());
    }
    Ok(album)
}

/// An error, and what to do where photos lack something.
fn advised(error: PhoneError) -> CommandError {
    let PhoneError::NotShown { missing, .. } = &error else {
        return error.into();
    };
    let without = missing.join(",");
    format!(
        "{error}. Whoever cannot do that pairs with another code and `axiam phone pair --without {without}`, and is asked for \
         other things"
    )
    .into()
}

async fn choose(phone: &Phone, wanted: Option<Uuid>) -> Result<Uuid, CommandError> {
    if let Some(id) = wanted {
        return Ok(id);
    }
    let waiting = phone.pending(INBOX_WAIT).await?;
    match waiting.as_slice() {
        [] => Err("nothing waits; let the site ask first (login/push_notification)".into()),
        [only] => Ok(only["sign_on_id"].as_str().unwrap_or_default().parse()?),
        several => {
            let lines: Vec<String> = several.iter().map(line).collect();
            Err(format!(
                "several sign-ons wait; choose one with --sign-on:\n{}",
                lines.join("\n")
            )
            .into())
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

fn device_line(device: &Value) -> String {
    let this = if device["this"] == true {
        "  (this phone)"
    } else {
        ""
    };
    format!(
        "{}  {}  {}{this}",
        text(&device["device_id"]),
        text(&device["standing"]),
        text(&device["name"]),
    )
}

fn line(sign_on: &Value) -> String {
    let mut line = format!(
        "{}  {}  from {} on {}  since {}",
        text(&sign_on["sign_on_id"]),
        text(&sign_on["site"]["domain"]),
        text(&sign_on["browser"]),
        text(&sign_on["os"]),
        text(&sign_on["requested_at"]),
    );
    if let Some(choices) = sign_on["number"]["choices"].as_array() {
        line.push_str(&match choices.len() {
            0..=FEW => {
                let choices: Vec<String> = choices.iter().map(Value::to_string).collect();
                format!("  choose the page's number: {}", choices.join(", "))
            }
            _ => "  answer with --number and the page's number".to_owned(),
        });
    }
    line
}
