//! Writes to Redis what the cable hands over, in order, and repeats what did not work.

use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, ErrorKind, RedisResult, RetryMethod, ServerErrorKind};
use tokio::sync::{mpsc, oneshot};

use super::log::{self, Record};
use super::script;
use super::shared::{Shared, milliseconds, new_epoch};

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Jobs done at once, when so many wait, and bytes of their messages: Redis serves nobody else
/// meanwhile, and cuts off listeners for whom more than some megabytes wait.
const BATCH: usize = 128;
const BATCH_BYTES: usize = 256 * 1024;

pub(super) enum Job {
    Publish(Publication),
    /// A command about a session.
    Command(Cmd),
    Flush(oneshot::Sender<()>),
}

/// Record on their way.
pub(super) struct Publication {
    pub(super) record: Record,
    /// Told when they are in the log; dropped when they are given up.
    pub(super) done: Option<oneshot::Sender<()>>,
}

/// Jobs that are done together.
#[derive(Default)]
struct Batch {
    publications: Vec<Publication>,
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
            Job::Publish(publication) => {
                let message = publication.record.message();
                self.bytes += message.map_or(0, |message| message.payload.get().len());
                self.publications.push(publication);
            }
            Job::Command(command) => self.commands.push(command),
            Job::Flush(done) => self.flushed.push(done),
        }
    }

    fn has_room(&self) -> bool {
        self.publications.len() + self.commands.len() < BATCH && self.bytes < BATCH_BYTES
    }
}

pub(super) async fn run(shared: Arc<Shared>, mut queue: mpsc::Receiver<Job>) {
    while let Some(batch) = Batch::next(&mut queue).await {
        tokio::join!(
            publish(&shared, batch.publications),
            run_commands(&shared, &batch.commands)
        );
        for done in batch.flushed {
            let _ = done.send(());
        }
    }
}

/// Publishes records; those that Redis refuses to take together, one by one.
async fn publish(shared: &Shared, publications: Vec<Publication>) {
    if publications.is_empty() {
        return;
    }
    if shared
        .run_until_done(&shared.publish_command(&publications))
        .await
    {
        publications.into_iter().for_each(Publication::arrived);
        return;
    }
    let alone = publications.len() == 1;
    for publication in publications {
        let one = std::slice::from_ref(&publication);
        if !alone && shared.run_until_done(&shared.publish_command(one)).await {
            publication.arrived();
        } else {
            shared.give_up(&publication);
        }
    }
}

impl Publication {
    fn arrived(self) {
        if let Some(done) = self.done {
            // Whoever asked may have lost interest.
            let _ = done.send(());
        }
    }
}

/// Executes commands, each of which can be repeated.
async fn run_commands(shared: &Shared, commands: &[Cmd]) {
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
        shared.run_until_done(command).await;
    }
}

/// Whether the same command would be refused again.
pub(super) fn is_hopeless(error: &redis::RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::Client)
        && matches!(error.retry_method(), RetryMethod::NoRetry)
        // What a server says that starts without its data, or is not the primary now.
        && !matches!(error.code(), Some("LOADING" | "READONLY" | "MASTERDOWN" | "NOREPLICAS"))
}

impl Shared {
    /// Executes a command until it has worked, or is hopeless. Whether it has worked.
    async fn run_until_done(&self, command: &Cmd) -> bool {
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

    /// The command that publishes records. Repeating it does nothing if it was executed.
    fn publish_command(&self, publications: &[Publication]) -> Cmd {
        let once = format!("{:032x}", rand::random::<u128>());
        let records = publications.iter().map(|publication| &publication.record);
        let records = log::write(&records.collect::<Vec<_>>(), &self.options.sealing);
        let mut command = redis::cmd("EVALSHA");
        command.arg(script::PUBLISH.get_hash()).arg(3);
        command.arg(self.log_key()).arg(self.head_key());
        command.arg(self.key("once", &once));
        command.arg(records).arg(publications.len());
        command.arg(new_epoch());
        command.arg(milliseconds(self.options.log_ttl));
        command
    }

    pub(super) fn give_up(&self, publication: &Publication) {
        if let (Record::Message(_), Some(local)) = (&publication.record, self.local.get()) {
            local.count_lost();
        }
    }
}
