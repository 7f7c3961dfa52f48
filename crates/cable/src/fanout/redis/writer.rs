//! Writes to Redis what the cable hands over, in order, and repeats what did not work.

use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, ErrorKind, RedisResult, RetryMethod, ServerErrorKind};
use tokio::sync::{mpsc, oneshot};

use super::{Shared, milliseconds, new_epoch, script};
use crate::message::Message;
use crate::options::Disconnect;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Jobs done at once, when so many wait, and bytes of their messages: Redis serves nobody else
/// meanwhile, and cuts off listeners for whom more than some megabytes wait.
const BATCH: usize = 128;
const BATCH_BYTES: usize = 256 * 1024;

pub(super) enum Job {
    Tell(News),
    /// A command about a session.
    Keep(Cmd),
    Flush(oneshot::Sender<()>),
}

/// What every process is to be told.
pub(super) enum News {
    Message {
        stream: String,
        message: Message,
        /// Told when it has been made; dropped when it is given up.
        done: Option<oneshot::Sender<()>>,
    },
    Disconnect {
        tag: String,
        disconnect: Disconnect,
    },
}

/// Jobs that are done together.
#[derive(Default)]
struct Batch {
    news: Vec<News>,
    bytes: usize,
    commands: Vec<Cmd>,
    flushed: Vec<oneshot::Sender<()>>,
}

impl Batch {
    /// Whatever waits, as soon as anything does.
    async fn next(queue: &mut mpsc::Receiver<Job>) -> Option<Self> {
        let mut batch = Self::default();
        batch.add(queue.recv().await?);
        while batch.has_room()
            && let Ok(job) = queue.try_recv()
        {
            batch.add(job);
        }
        Some(batch)
    }

    fn add(&mut self, job: Job) {
        match job {
            Job::Tell(news) => {
                self.bytes += news.bytes();
                self.news.push(news);
            }
            Job::Keep(command) => self.commands.push(command),
            Job::Flush(done) => self.flushed.push(done),
        }
    }

    fn has_room(&self) -> bool {
        self.news.len() + self.commands.len() < BATCH && self.bytes < BATCH_BYTES
    }
}

impl News {
    fn message(&self) -> Option<(&str, &Message)> {
        match self {
            Self::Message {
                stream, message, ..
            } => Some((stream, message)),
            Self::Disconnect { .. } => None,
        }
    }

    fn bytes(&self) -> usize {
        self.message()
            .map_or(0, |(_, message)| message.payload().len())
    }

    /// As the script reads it.
    fn write_to(&self, command: &mut Cmd) {
        match self {
            Self::Message {
                stream, message, ..
            } => {
                command.arg("m").arg(stream).arg(message.payload());
                command.arg(message.key().unwrap_or_default());
                match message.sent {
                    Some(sent) => command.arg(microseconds(sent)),
                    None => command.arg(""),
                };
            }
            Self::Disconnect { tag, disconnect } => {
                command.arg("d").arg(tag).arg(disconnect.reason.as_ref());
                command.arg(u8::from(disconnect.reconnect)).arg("");
            }
        }
    }

    fn told(self) {
        if let Self::Message {
            done: Some(done), ..
        } = self
        {
            let _ = done.send(());
        }
    }
}

pub(super) async fn run(shared: Arc<Shared>, mut queue: mpsc::Receiver<Job>) {
    while let Some(batch) = Batch::next(&mut queue).await {
        tokio::join!(tell(&shared, batch.news), keep(&shared, &batch.commands));
        for done in batch.flushed {
            // Whoever asked may have lost interest.
            let _ = done.send(());
        }
    }
}

/// Tells news; those that Redis refuses to take together, one by one.
async fn tell(shared: &Shared, news: Vec<News>) {
    if news.is_empty() {
        return;
    }
    if shared.surely(&shared.publication(&news)).await {
        news.into_iter().for_each(News::told);
        return;
    }
    let alone = news.len() == 1;
    for news in news {
        let one = std::slice::from_ref(&news);
        if !alone && shared.surely(&shared.publication(one)).await {
            news.told();
        } else {
            shared.give_up(&news);
        }
    }
}

/// Executes commands, each of which can be repeated.
async fn keep(shared: &Shared, commands: &[Cmd]) {
    if commands.len() > 1 {
        let mut pipe = redis::pipe();
        for command in commands {
            pipe.add_command(command.clone()).ignore();
        }
        let done: RedisResult<()> = pipe.query_async(&mut shared.connection.clone()).await;
        if done.is_ok() {
            return;
        }
    }
    for command in commands {
        shared.surely(command).await;
    }
}

/// Whether the same command would be refused again.
pub(super) fn is_hopeless(error: &redis::RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::Client)
        && matches!(error.retry_method(), RetryMethod::NoRetry)
        // What a server says that starts without its data, or is not the primary now.
        && !matches!(error.code(), Some("LOADING" | "READONLY" | "MASTERDOWN" | "NOREPLICAS"))
}

fn microseconds(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

impl Shared {
    /// Executes a command until it has worked, or is hopeless. Whether it has worked.
    async fn surely(&self, command: &Cmd) -> bool {
        let mut pause = Duration::from_millis(20);
        while let Err(error) = self.execute(command).await {
            if is_hopeless(&error) {
                tracing::error!(%error, "Redis refuses what it is told");
                return false;
            }
            tracing::warn!(%error, "Redis is out of reach");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        true
    }

    async fn execute(&self, command: &Cmd) -> RedisResult<()> {
        let mut connection = self.connection.clone();
        match command.query_async(&mut connection).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                script::PUBLISH.load_async(&mut connection).await?;
                command.query_async(&mut connection).await
            }
            result => result,
        }
    }

    /// The command that tells news. Repeating it does nothing if it was executed.
    fn publication(&self, news: &[News]) -> Cmd {
        let history = &self.options.history;
        let once = format!("{:032x}", rand::random::<u128>());
        let messages = || news.iter().filter_map(News::message);
        let mut command = redis::cmd("EVALSHA");
        command.arg(script::PUBLISH.get_hash());
        command.arg(3 + 2 * messages().count());
        command.arg(self.log_key());
        command.arg(self.key("log", "last"));
        command.arg(self.key("once", &once));
        for (stream, _) in messages() {
            command.arg(self.key("head", stream));
            command.arg(self.key("history", stream));
        }
        command.arg(new_epoch());
        command.arg(history.messages.max(1));
        command.arg(milliseconds(history.ttl));
        command.arg(milliseconds(self.options.log_ttl));
        command.arg(u8::from(self.options.announce));
        for news in news {
            news.write_to(&mut command);
        }
        command
    }

    pub(super) fn give_up(&self, news: &News) {
        if let (News::Message { .. }, Some(local)) = (news, self.local.get()) {
            local.count_lost();
        }
    }
}
