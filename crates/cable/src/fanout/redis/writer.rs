//! Writes to Redis what the cable hands over, in order, and repeats what did not work.

use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, ErrorKind, RedisResult, RetryMethod, ServerErrorKind};
use tokio::sync::{mpsc, oneshot};

use super::{SavedSession, Shared, milliseconds, new_epoch, script};
use crate::message::Message;
use crate::options::Disconnect;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

pub(super) enum Job {
    Publish {
        stream: String,
        message: Message,
        once: String,
        /// Told when it has been made; dropped when it is given up.
        done: Option<oneshot::Sender<()>>,
    },
    Disconnect {
        tag: String,
        disconnect: Disconnect,
    },
    Save {
        sid: String,
        session: SavedSession,
    },
    Touch {
        sid: String,
    },
    Forget {
        sid: String,
    },
    Flush(oneshot::Sender<()>),
}

/// Jobs written at once, when so many wait.
const BATCH: usize = 128;

pub(super) async fn run(shared: Arc<Shared>, mut queue: mpsc::Receiver<Job>) {
    let mut batch = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        // What is repeated after a failure has the same ids, so that nothing happens twice.
        let written = batch.len() > 1 && shared.write_all(&batch).await.is_ok();
        for job in batch.drain(..) {
            let arrived =
                written || matches!(job, Job::Flush(_)) || write_surely(&shared, &job).await;
            match job {
                // Whoever asked may have lost interest.
                Job::Flush(done) => drop(done.send(())),
                Job::Publish {
                    done: Some(done), ..
                } if arrived => drop(done.send(())),
                _ => {}
            }
        }
    }
}

/// Writes until it has worked, or is hopeless. Whether it has.
async fn write_surely(shared: &Shared, job: &Job) -> bool {
    let mut pause = Duration::from_millis(20);
    while let Err(error) = shared.write(job).await {
        if is_hopeless(&error) {
            tracing::error!(%error, "Redis refuses what it is told");
            shared.give_up(job);
            return false;
        }
        tracing::warn!(%error, "Redis is out of reach");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    true
}

fn microseconds(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

/// Whether the same command would be refused again.
pub(super) fn is_hopeless(error: &redis::RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::Client)
        && matches!(error.retry_method(), RetryMethod::NoRetry)
        // What a server says that starts without its data, or is not the primary now.
        && !matches!(error.code(), Some("LOADING" | "READONLY" | "MASTERDOWN" | "NOREPLICAS"))
}

impl Shared {
    async fn write(&self, job: &Job) -> RedisResult<()> {
        let Some(command) = self.command(job) else {
            return Ok(());
        };
        let mut connection = self.connection.clone();
        match command.query_async(&mut connection).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                script::PUBLISH.load_async(&mut connection).await?;
                command.query_async(&mut connection).await
            }
            result => result,
        }
    }

    /// Writes all in one go. If anything fails, any part of it may have been done.
    async fn write_all(&self, jobs: &[Job]) -> RedisResult<()> {
        let mut pipe = redis::pipe();
        for command in jobs.iter().filter_map(|job| self.command(job)) {
            pipe.add_command(command).ignore();
        }
        pipe.query_async(&mut self.connection.clone()).await
    }

    fn publication(&self, stream: &str, message: &Message, once: &str) -> Cmd {
        let history = &self.options.history;
        let mut command = redis::cmd("EVALSHA");
        command.arg(script::PUBLISH.get_hash()).arg(4);
        command.arg(self.key("head", stream));
        command.arg(self.key("history", stream));
        command.arg(self.log_key());
        command.arg(self.key("once", once));
        command.arg(stream).arg(message.payload());
        command.arg(message.key().unwrap_or_default());
        command.arg(new_epoch());
        command.arg(history.messages.max(1));
        command.arg(milliseconds(history.ttl));
        command.arg(milliseconds(self.options.log_ttl));
        command.arg(message.sent.map_or(0, microseconds));
        command.arg(u8::from(self.options.announce));
        command
    }

    /// A job is one command, or none.
    fn command(&self, job: &Job) -> Option<Cmd> {
        let session_ttl = milliseconds(self.options.history.session_ttl);
        let command = match job {
            Job::Disconnect { tag, disconnect } => {
                let mut command = redis::cmd("XADD");
                command.arg(self.log_key()).arg("*").arg("d").arg(tag);
                command.arg("n").arg(disconnect.reason.as_ref());
                command.arg("r").arg(u8::from(disconnect.reconnect));
                command
            }
            Job::Save { sid, session } if session.subscriptions.is_empty() => self.forget(sid),
            Job::Save { sid, session } => {
                // Writing a session as JSON cannot fail: its keys are strings.
                let text = serde_json::to_string(session).unwrap_or_default();
                let mut command = redis::cmd("SET");
                command.arg(self.key("session", sid)).arg(text);
                command.arg("PX").arg(session_ttl);
                command
            }
            Job::Touch { sid } => {
                let mut command = redis::cmd("PEXPIRE");
                command.arg(self.key("session", sid)).arg(session_ttl);
                command
            }
            Job::Forget { sid } => self.forget(sid),
            Job::Publish {
                stream,
                message,
                once,
                ..
            } => self.publication(stream, message, once),
            Job::Flush(_) => return None,
        };
        Some(command)
    }

    fn forget(&self, sid: &str) -> Cmd {
        let mut command = redis::cmd("DEL");
        command.arg(self.key("session", sid));
        command
    }
}
