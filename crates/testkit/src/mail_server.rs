//! Somebody else's mail server, which takes letters or not, as a test tells it. It knows as much of SMTP as a sender
//! needs to hand a letter over.

use std::{
    collections::{HashMap, VecDeque},
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    thread,
};

use server::platform::config::Settings;

/// A letter as it came.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Whom the sender named to the server.
    pub to: Vec<String>,
    /// Headers and body, with soft line ends taken out.
    pub text: String,
}

impl Letter {
    /// The first link in it.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn link(&self) -> String {
        let mut lines = self.text.lines().map(str::trim);
        let link = lines.find(|line| line.starts_with("http"));
        link.unwrap_or_else(|| panic!("no link in {}", self.text))
            .to_owned()
    }

    /// The token in the first link.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn token(&self) -> String {
        let link = self.link();
        let token = link.split("token=").nth(1);
        token
            .unwrap_or_else(|| panic!("no token in {link}"))
            .to_owned()
    }
}

#[derive(Default)]
struct Inner {
    taken: Vec<Letter>,
    /// What the next letters are answered instead of being taken.
    refusals: VecDeque<String>,
}

/// A mail server on a port of this machine, for as long as the tests run.
#[derive(Clone, Default)]
pub struct MailServer(Arc<Mutex<Inner>>);

/// By their addresses, as settings have them.
static SERVERS: LazyLock<Mutex<HashMap<String, MailServer>>> = LazyLock::new(Mutex::default);

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MailServer {
    /// Starts one, and has letters leave by it.
    ///
    /// # Panics
    /// When there is no free port.
    pub fn start(settings: &mut Settings) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let server = Self::default();
        settings.mail.url = format!("smtp://{address}");
        settings.mail.from = "Axiam <signin@example.com>".to_owned();
        held(&SERVERS).insert(settings.mail.url.clone(), server.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = server.clone();
                // A sender that hangs up is no failure of the server's.
                thread::spawn(move || server.talk(&stream).unwrap_or_default());
            }
        });
    }

    /// The one that was started for these settings.
    ///
    /// # Panics
    /// When none was.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let known = held(&SERVERS).get(&settings.mail.url).cloned();
        known.expect("a mail server was started")
    }

    /// Refuses the next letter with this answer, such as `451 later`.
    pub fn refuse(&self, answer: &str) {
        held(&self.0).refusals.push_back(answer.to_owned());
    }

    /// The letters that were taken since the last time.
    #[must_use]
    pub fn take(&self) -> Vec<Letter> {
        std::mem::take(&mut held(&self.0).taken)
    }

    /// The one letter that was taken since the last time.
    ///
    /// # Panics
    /// When there was none, or more.
    #[must_use]
    pub fn one(&self) -> Letter {
        let mut taken = self.take();
        assert_eq!(taken.len(), 1, "{taken:?}");
        taken.remove(0)
    }

    fn talk(&self, mut stream: &TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        let mut to = Vec::new();
        stream.write_all(b"220 mail.test\r\n")?;
        while let Some(line) = lines.next() {
            let line = line?;
            let verb = line.split([' ', ':']).next().unwrap_or_default();
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => stream.write_all(b"250-mail.test\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n")?,
                "RCPT" => {
                    let whom = line.split(['<', '>']).nth(1).unwrap_or_default();
                    to.push(whom.to_owned());
                    stream.write_all(b"250 fine\r\n")?;
                }
                "DATA" => {
                    stream.write_all(b"354 go on\r\n")?;
                    let mut text = String::new();
                    for line in lines.by_ref() {
                        let line = line?;
                        if line == "." {
                            break;
                        }
                        text.push_str(&line);
                        text.push('\n');
                    }
                    let text = text.replace("=\n", "").replace("=3D", "=");
                    let to = std::mem::take(&mut to);
                    let answer = self.judge(Letter { to, text });
                    stream.write_all(format!("{answer}\r\n").as_bytes())?;
                }
                "QUIT" => {
                    stream.write_all(b"221 bye\r\n")?;
                    return Ok(());
                }
                _ => stream.write_all(b"250 fine\r\n")?,
            }
        }
        Ok(())
    }

    fn judge(&self, letter: Letter) -> String {
        let mut inner = held(&self.0);
        match inner.refusals.pop_front() {
            Some(answer) => answer,
            None => {
                inner.taken.push(letter);
                "250 taken".to_owned()
            }
        }
    }
}
