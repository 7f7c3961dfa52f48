//! How letters leave: by a mail server, or into the terminal of whoever develops.

use std::{
    collections::VecDeque,
    fmt,
    io::Write,
    sync::{Mutex, PoisonError},
};

use uuid::Uuid;

use super::{
    letter::Letter,
    server::{NotPosted, Server},
};
use crate::platform::{
    clock::Moment,
    config::{Mailing, Settings},
    secret::{self, Secret},
};

/// Most letters that are shown at `/dev/mail`.
const SHOWN: usize = 50;

/// A letter that was printed instead of sent.
#[derive(Debug, Clone)]
pub struct Shown {
    /// When it would have been sent.
    pub at: Moment,
    /// Whom it goes to.
    pub to: String,
    /// What it is about.
    pub subject: String,
    /// What it says.
    pub text: String,
    /// The link in it.
    pub url: Option<String>,
}

/// The letters that were printed. Whoever may read the terminal may read them: it says the key.
pub struct Shelf {
    key: Secret,
    public_url: String,
    letters: Mutex<VecDeque<Shown>>,
}

/// Never the key.
impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf").finish_non_exhaustive()
    }
}

impl Shelf {
    fn new(public_url: String) -> Self {
        Self {
            key: Secret::generate(""),
            public_url,
            letters: Mutex::default(),
        }
    }

    /// Where they are shown.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}/dev/mail?key={}", self.public_url, self.key.reveal())
    }

    /// The letters, the latest first, for whoever has the key.
    #[must_use]
    pub fn letters(&self, key: &str) -> Option<Vec<Shown>> {
        if !secret::same(&self.key.hash(), &secret::hash(key)) {
            return None;
        }
        let letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        Some(letters.iter().cloned().collect())
    }

    fn put(&self, shown: Shown) {
        print(&shown, &self.address());
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        letters.truncate(SHOWN - 1);
        letters.push_front(shown);
    }
}

/// Where letters go.
#[derive(Debug)]
pub enum Post {
    /// To a mail server.
    Server(Server),
    /// Into the terminal, and onto the page `/dev/mail`.
    Terminal(Shelf),
    /// Nowhere: none are written.
    Nowhere,
}

impl Post {
    /// As the settings have it. Nothing is connected to yet.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        match settings.mailing() {
            Mailing::Server => Self::Server(Server::new(&settings.mail)),
            Mailing::Terminal => Self::Terminal(Shelf::new(settings.public_url())),
            Mailing::Nowhere => Self::Nowhere,
        }
    }

    /// Whether letters are worth writing.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(self, Self::Nowhere)
    }

    /// Sends a letter; what the server said to it. `id` names it over all attempts.
    ///
    /// # Errors
    /// [`NotPosted`] says whether it is worth trying again.
    pub async fn send(&self, letter: &Letter, id: Uuid, now: Moment) -> Result<String, NotPosted> {
        match self {
            Self::Server(server) => server.send(letter, id, now).await,
            Self::Terminal(shelf) => {
                shelf.put(Shown::of(letter, now)?);
                Ok("printed in the terminal".to_owned())
            }
            Self::Nowhere => Err(NotPosted::Later("no mail server is set".to_owned())),
        }
    }

    /// The letters that are printed; `None` where they are sent, or not written.
    #[must_use]
    pub fn shelf(&self) -> Option<&Shelf> {
        match self {
            Self::Terminal(shelf) => Some(shelf),
            _ => None,
        }
    }
}

impl Shown {
    fn of(letter: &Letter, now: Moment) -> Result<Self, NotPosted> {
        let text = letter.text();
        Ok(Self {
            at: now,
            to: letter.to.as_str().to_owned(),
            subject: letter.subject.as_str().to_owned(),
            text: text.map_err(|error| NotPosted::Never(error.to_string()))?,
            url: letter.url().map(str::to_owned),
        })
    }
}

fn print(shown: &Shown, address: &str) {
    let Shown {
        to, subject, text, ..
    } = shown;
    // Somebody types these addresses; a terminal must not obey them.
    let visible = |c: char| c == '\n' || !c.is_control();
    let text: String = text.chars().filter(|c| visible(*c)).collect();
    let text = text.trim_end().replace('\n', "\n  | ");
    let mut out = std::io::stdout().lock();
    // A reader that has gone is no error.
    let _ = writeln!(
        out,
        "A letter that no mail server takes (mail.url is empty); also at {address}\n  | To: {to}\n  | Subject: \
         {subject}\n  |\n  | {text}"
    );
    let _ = out.flush();
}
