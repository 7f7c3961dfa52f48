//! `axiam phone`.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, Subcommand};
use phone::{Pairing, Phone, SystemClock};
use serde_json::Value;
use uuid::Uuid;

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
        /// Give up a pairing that the file already holds.
        #[arg(long)]
        replace: bool,
    },
    /// Enrol the face in one or more photos
    Enrol {
        /// Photos of one person.
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
    /// Answer a sign-on with photos
    Scan {
        /// Photos of the person.
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
            replace,
        } => pair(settings, &file, &link, &name, replace).await,
        Command::Enrol { photos } => {
            let phone = wake(&file)?;
            say!("Consent: {}", phone.pairing().consent_text);
            phone.enrol(&read(&photos)?).await?;
            say!(
                "uploaded: the face is enrolled for {}",
                phone.pairing().domain
            );
            Ok(())
        }
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
            let photos = read(&photos)?;
            let chosen = choose(&phone, sign_on).await?;
            phone.scan(chosen, number, &photos).await?;
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

async fn pair(
    settings: &Settings,
    file: &Path,
    link: &str,
    name: &str,
    replace: bool,
) -> Result<(), CommandError> {
    if file.exists() && !replace {
        return Err(format!(
            "{} already holds a paired phone; use another file with --phone, or --replace",
            file.display()
        )
        .into());
    }
    let phone = Phone::pair(link, &settings.public_url(), name, Arc::new(SystemClock)).await?;
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

fn read(photos: &[PathBuf]) -> Result<Vec<Vec<u8>>, CommandError> {
    photos
        .iter()
        .map(|photo| {
            fs::read(photo).map_err(|error| format!("{}: {error}", photo.display()).into())
        })
        .collect()
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
