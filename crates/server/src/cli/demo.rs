//! The demo site of `axiam serve --demo`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sea_orm::DatabaseConnection;

use super::CommandError;
use crate::{
    demo::Demo,
    platform::{clock::Moment, config::Settings, keys::Keyring, private_file, secret::Secret},
    site::{self, SiteSettings},
};

/// A demo site that is there.
pub(super) struct DemoSite {
    /// The file with its keys.
    pub(super) file: PathBuf,
    /// What its pages need.
    pub(super) demo: Demo,
}

impl DemoSite {
    /// The lines of a first sign-on, ready to paste; the README explains them.
    pub(super) fn first_sign_on(&self) -> String {
        format!(
            r#"
A demo site is ready; its keys are in {demo}. It takes a still photo for a face (liveness=passive), so
that the lines below work; new sites ask people to move. A first sign-on, in another terminal:

  # the site: a token, a client, a link for the phone
  . {demo}
  get() {{ sed -E "s/.*\"$1\":\"([^\"]+)\".*/\1/"; }}
  post() {{ curl -s "$API/$1" -H "Authorization: Bearer $TOKEN" -d "$2"; }}
  TOKEN=$(post application_auth "{{\"api_key\":\"$API_KEY\",\"secret_key\":\"$SECRET_KEY\"}}" | get authenticated_token)
  CLIENT=$(post client/create '{{"email":"ann@example.com","full_name":"Ann Example"}}' | get client_id)
  LINK=$(post client/qrcode "{{\"id\":\"$CLIENT\",\"flow_type\":\"signup\"}}" | get enrollment_url)

  # the person: pair the phone, enrol a face (any photo of one person, or these)
  {phone} pair "$LINK"
  {phone} enrol models/build/demo-faces/person1/01.jpg

  # the site asks, the person scans, the site redeems the proof
  PUSHED=$(post login/push_notification "{{\"id\":\"$CLIENT\"}}")
  VERIFICATION=$(echo "$PUSHED" | get verification_token)
  NUMBER=$(echo "$PUSHED" | sed -E 's/.*"number":([0-9]+).*/\1/')
  {phone} scan models/build/demo-faces/person1/02.jpg --number "$NUMBER"
  SESSION=$(curl -s "$API/login/status?verification_token=$VERIFICATION" -H "Authorization: Bearer $TOKEN" | get client_session_token)
  post login/validate_session "{{\"client_session_token\":\"$SESSION\",\"client_id\":\"$CLIENT\"}}"

"#,
            demo = self.file.display(),
            phone = self.demo.phone,
        )
    }
}

/// Makes the demo site where there is none, keeps its keys in `demo.env`, and lets this server's own pages
/// use it.
pub(super) async fn prepare(
    db: &DatabaseConnection,
    keys: &Keyring,
    settings: &Settings,
    now: Moment,
) -> Result<DemoSite, CommandError> {
    let file = settings.data_dir.join("demo.env");
    if !file.exists() {
        create(db, keys, settings, &file, now).await?;
    }
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let kept = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let missing = || {
            format!(
                "{}: {name} is missing; remove the file to have a new demo site",
                file.display()
            )
        };
        line.map(str::to_owned).ok_or_else(missing)
    };
    let (api_key, secret_key) = (kept("API_KEY=")?, Secret::from_text(&kept("SECRET_KEY=")?));
    let row = site::authenticate(db, &api_key, secret_key.reveal(), now)
        .await
        .map_err(|error| {
            format!(
                "{}: {error}; remove the file to have a new demo site",
                file.display()
            )
        })?;
    // The pages are at whatever address this server has today.
    let pages = format!("localhost,127.0.0.1,{}", origin(&settings.public_url()));
    let change = |settings: &SiteSettings| {
        let at = settings.with("origins", &pages)?;
        at.with("test_mode", "true")
    };
    site::change_settings(db, keys, row.id, change, now).await?;
    Ok(DemoSite {
        demo: Demo {
            api_key,
            secret_key,
            phone: phone_line(settings),
        },
        file,
    })
}

/// Scheme, host and port of an address.
fn origin(address: &str) -> String {
    url::Url::parse(address).map_or_else(
        |_| address.to_owned(),
        |url| url.origin().ascii_serialization(),
    )
}

async fn create(
    db: &DatabaseConnection,
    keys: &Keyring,
    settings: &Settings,
    file: &Path,
    now: Moment,
) -> Result<(), CommandError> {
    let new = site::create(db, keys, ("http://localhost", false), now).await?;
    let change = |settings: &SiteSettings| settings.with("liveness", "passive");
    site::change_settings(db, keys, new.site.id, change, now).await?;
    let text = format!(
        "# The demo site of this Axiam; for trying out, not for people.\n\
         API={}/api/v1/facial_sign_on\nSITE_ID={}\nAPI_KEY={}\nSECRET_KEY={}\n",
        settings.public_url(),
        new.site.id,
        new.site.api_key,
        new.secret_key.reveal(),
    );
    private_file::write_new(file, &text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(())
}

/// How this very program is called as a phone.
fn phone_line(settings: &Settings) -> String {
    let program = std::env::args().next().unwrap_or_else(|| "axiam".into());
    let elsewhere = settings.data_dir != Path::new("./data");
    let data = elsewhere.then(|| format!(" --data-dir {}", settings.data_dir.display()));
    format!("{program}{} phone", data.unwrap_or_default())
}
