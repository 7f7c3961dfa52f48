//! Writes the letters to accounts, and has them sent.

use async_trait::async_trait;
use chrono::TimeDelta;
use sea_orm::DbErr;

use super::{
    link::{self, Mailed, Whose},
    model::{self, Account},
    store,
    wish::{KIND, Wish},
};
use crate::platform::{
    config::SignUp,
    mail::{Letter, NotPosted},
    outbox::{Courier, Fate, Pace, Parcel},
    state::State,
};

/// Seconds at first, half an hour in the end.
const PACE: Pace = Pace {
    first: 5.0,
    growth: 3.0,
    longest: 1800.0,
};

/// Longer than a mail server may take, all in all.
const LONGEST: TimeDelta = TimeDelta::seconds(60);

/// Carries letters to accounts.
pub struct LetterCourier;

#[async_trait]
impl Courier for LetterCourier {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn pace(&self) -> Pace {
        PACE
    }

    fn longest(&self) -> TimeDelta {
        LONGEST
    }

    async fn carry(&self, state: &State, parcel: &Parcel) -> Result<Fate, DbErr> {
        let Ok(wish) = serde_json::from_str::<Wish>(&parcel.body) else {
            return Ok(Fate::Refused("cannot be read".into()));
        };
        let writer = Writer {
            state,
            parcel,
            url: state.settings.public_url(),
        };
        let Some(letter) = writer.write(&wish).await? else {
            return Ok(Fate::Refused(
                "there is nothing to write, or nobody to write to".into(),
            ));
        };
        let sent = state.post.send(&letter, parcel.id, state.now()).await;
        Ok(match sent {
            Ok(said) => Fate::Delivered(said),
            Err(NotPosted::Later(why)) => Fate::Later(why, None),
            Err(NotPosted::Never(why)) => Fate::Refused(why),
        })
    }
}

/// Whoever writes one letter.
struct Writer<'a> {
    state: &'a State,
    parcel: &'a Parcel,
    url: String,
}

impl Writer<'_> {
    async fn write(&self, wish: &Wish) -> Result<Option<Letter>, DbErr> {
        match wish {
            Wish::Password { email } => self.password(email).await,
            Wish::Account { email } => self.account(email).await,
            Wish::Confirmation { account_id } => {
                match store::find(&self.state.db, *account_id).await? {
                    Some(account) if account.email_confirmed_at.is_none() => {
                        self.confirmation(&account).await
                    }
                    _ => Ok(None),
                }
            }
            Wish::Invitation {
                account_id,
                app,
                role,
                by,
            } => match store::find(&self.state.db, *account_id).await? {
                Some(account) => self.invitation(&account, (app, role, by)).await,
                None => Ok(None),
            },
            Wish::NewAddress {
                account_id,
                email,
                proof,
            } => {
                let account = store::find(&self.state.db, *account_id).await?;
                match account.filter(|account| account.proof() == *proof) {
                    Some(account) => self.new_address(&account, email).await,
                    None => Ok(None),
                }
            }
            Wish::Moved { from, .. } => Ok(self.moved(from)),
            Wish::Changed { account_id, what } => {
                let account = store::find(&self.state.db, *account_id).await?;
                // An address that nobody confirmed may be a stranger's.
                let account = account.filter(|account| account.email_confirmed_at.is_some());
                Ok(account.and_then(|account| self.changed(&account, what)))
            }
        }
    }

    /// To whoever reads the mail of an account: to one whose password is known to somebody, only where that is
    /// confirmed. A slip of the pen must not hand an account to a stranger.
    async fn password(&self, email: &str) -> Result<Option<Letter>, DbErr> {
        let Some(account) = self.find(email).await? else {
            return Ok(None);
        };
        if account.password.is_some() && account.email_confirmed_at.is_none() {
            return Ok(None);
        }
        let whose = Whose::Account(account.id);
        let letter = self.letter(&account.email, "Choose another password");
        let Some(letter) = letter else {
            return Ok(None);
        };
        let letter = letter.says(format!(
            "Somebody asked for another password for your account of the Axiam dashboard at {}.",
            self.url
        ));
        let Some(letter) = self.with_link(letter, &whose, true).await? else {
            return Ok(None);
        };
        Ok(Some(
            letter
                .says("The link is good once, for an hour.")
                .says("It was not you? Then do nothing. Your password stays as it is."),
        ))
    }

    async fn account(&self, email: &str) -> Result<Option<Letter>, DbErr> {
        if self.state.settings.accounts.sign_up != SignUp::Open {
            return Ok(None);
        }
        let Ok(address) = model::email(email) else {
            return Ok(None);
        };
        let found = self.find(email).await?;
        let letter = self.letter(email, "Your account of the Axiam dashboard");
        let Some(letter) = letter else {
            return Ok(None);
        };
        let whose = match found {
            Some(known) if known.password.is_some() => {
                let letter = letter
                    .says("Somebody asked for an account with this address. You have one already.")
                    .link("Sign in", format!("{}/dashboard/sign-in", self.url))
                    .says("It was not you? Then do nothing.");
                return Ok(Some(letter));
            }
            Some(known) => Whose::Account(known.id),
            None => Whose::New(address),
        };
        let letter = letter.says(format!(
            "Somebody asked for an account of the Axiam dashboard at {} with this address. Choose its password, and it \
             is yours.",
            self.url
        ));
        let letter = self.with_link(letter, &whose, true).await?;
        Ok(letter.map(|letter| {
            letter
                .says("The link is good once, for a day.")
                .says("It was not you? Then do nothing. No account is made.")
        }))
    }

    async fn confirmation(&self, account: &Account) -> Result<Option<Letter>, DbErr> {
        let letter = self.letter(&account.email, "Confirm your address");
        let Some(letter) = letter else {
            return Ok(None);
        };
        let letter = letter.says(format!(
            "Your account of the Axiam dashboard at {} has this address. Confirm that you read its mail, so that you can \
             set another password by mail when you have forgotten yours.",
            self.url
        ));
        let letter = self
            .with_link(letter, &Whose::Account(account.id), false)
            .await?;
        Ok(letter.map(|letter| {
            letter
                .says("The link is good once, for three days.")
                .says("You have no such account? Then do nothing.")
        }))
    }

    async fn invitation(
        &self,
        account: &Account,
        (app, role, by): (&str, &str, &str),
    ) -> Result<Option<Letter>, DbErr> {
        let letter = self.letter(&account.email, &format!("{app} in the Axiam dashboard"));
        let Some(letter) = letter else {
            return Ok(None);
        };
        let letter = letter.says(format!(
            "{by} lets you open {app} in the Axiam dashboard at {}, as {role}.",
            self.url
        ));
        if account.password.is_some() {
            let letter = letter.link("Open the dashboard", format!("{}/dashboard", self.url));
            return Ok(Some(letter));
        }
        let letter = self
            .with_link(letter, &Whose::Account(account.id), true)
            .await?;
        Ok(letter.map(|letter| {
            letter
                .says("The link is good once, for three days.")
                .says("You know nothing of it? Then do nothing.")
        }))
    }

    /// To the address that an account is to have. Whoever has an account by it already is told so, and nothing else.
    async fn new_address(&self, account: &Account, email: &str) -> Result<Option<Letter>, DbErr> {
        let Ok(address) = model::email(email) else {
            return Ok(None);
        };
        let letter = self.letter(email, "Your new address");
        let Some(letter) = letter else {
            return Ok(None);
        };
        if self.find(email).await?.is_some() {
            let letter = letter
                .says(format!(
                    "Somebody wanted to give their account of the Axiam dashboard at {} this address. You have an account by it \
                     already, so nothing was changed.",
                    self.url
                ))
                .link("Sign in", format!("{}/dashboard/sign-in", self.url));
            return Ok(Some(letter));
        }
        let letter = letter.says(format!(
            "You asked for this to be the address of your account of the Axiam dashboard at {}, in the place of the one before.",
            self.url
        ));
        let whose = Whose::Moving(account.id, address);
        let letter = self.with_link(letter, &whose, false).await?;
        Ok(letter.map(|letter| {
            letter
                .says("The link is good once, for a day. Until you follow it, nothing changes.")
                .says("You did not ask for it? Then do nothing.")
        }))
    }

    /// To the address of before.
    fn moved(&self, from: &str) -> Option<Letter> {
        let letter = self.letter(from, "Your account has another address")?;
        let letter = letter.says(format!(
            "Your account of the Axiam dashboard at {} has another e-mail address from now on. Letters go there.",
            self.url
        ));
        Some(letter.says("It was you? Then there is nothing to do.").says(
            "It was not you? Tell whoever runs this server at once: they can give the account its address back, and end its sessions.",
        ))
    }

    fn changed(&self, account: &Account, what: &str) -> Option<Letter> {
        let letter = self.letter(&account.email, "A way into your account was changed")?;
        let letter = letter.says(format!(
            "Of your account of the Axiam dashboard at {}, {what}.",
            self.url
        ));
        Some(letter.says("It was you? Then there is nothing to do.").says(
            "It was not you? Set another password at once, and tell whoever runs this server.",
        ).link("Set another password", format!("{}/dashboard/forgot", self.url)))
    }

    async fn find(&self, email: &str) -> Result<Option<Account>, DbErr> {
        match model::email(email) {
            Ok(email) => store::find_by_email(&self.state.db, &email).await,
            Err(_) => Ok(None),
        }
    }

    /// An empty letter; none where letters cannot go there.
    fn letter(&self, to: &str, subject: &str) -> Option<Letter> {
        let to = to.parse().ok()?;
        Some(Letter::new(to, subject, &self.url))
    }

    /// The same with a link of its own; `None` where it was used already.
    async fn with_link(
        &self,
        letter: Letter,
        whose: &Whose,
        sets_password: bool,
    ) -> Result<Option<Letter>, DbErr> {
        let mailed = Mailed {
            letter: self.parcel.id,
            whose,
            sets_password,
            until: self.parcel.expires_at,
        };
        let (state, now) = (self.state, self.state.now());
        let token = link::mail(&state.db, &state.keys, mailed, now).await?;
        Ok(token.map(|token| {
            let page = match whose {
                _ if sets_password => {
                    return letter.link("Choose a password", link::join_address(&self.url, &token));
                }
                Whose::Moving(..) => "new-address",
                _ => "confirm",
            };
            let url = format!("{}/dashboard/{page}?token={}", self.url, token.reveal());
            letter.link("Confirm the address", url)
        }))
    }
}
