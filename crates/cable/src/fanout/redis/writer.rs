//! Writes to Redis what the cable hands over, in order, and repeats what did not work.

use std::sync::Arc;
use std::time::Duration;

use redis::{ErrorKind, RedisResult, RetryMethod};
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

pub(super) async fn run(shared: Arc<Shared>, mut queue: mpsc::Receiver<Job>) {
    while let Some(job) = queue.recv().await {
        if let Job::Flush(done) = job {
            let _ = done.send(());
            continue;
        }
        let mut pause = Duration::from_millis(20);
        while let Err(error) = shared.write(&job).await {
            if is_hopeless(&error) {
                tracing::error!(%error, "Redis refuses what it is told");
                shared.give_up(&job);
                break;
            }
            tracing::warn!(%error, "Redis is out of reach");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

fn microseconds(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

/// Whether the same command would be refused again.
fn is_hopeless(error: &redis::RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::Client)
        && matches!(error.retry_method(), RetryMethod::NoRetry)
        // What a server says that starts without its data, or is not the primary now.
        && !matches!(error.code(), Some("LOADING" | "READONLY" | "MASTERDOWN" | "NOREPLICAS"))
}

impl Shared {
    async fn write(&self, job: &Job) -> RedisResult<()> {
        let mut connection = self.connection.clone();
        let history = &self.options.history;
        let session_ttl = milliseconds(history.session_ttl);
        let log_ttl = milliseconds(self.options.log_ttl);
        match job {
            Job::Publish {
                stream,
                message,
                once,
            } => {
                script::PUBLISH
                    .key(self.key("head", stream))
                    .key(self.key("history", stream))
                    .key(self.log_key())
                    .key(self.key("once", once))
                    .arg(stream)
                    .arg(message.payload())
                    .arg(message.key().unwrap_or_default())
                    .arg(new_epoch())
                    .arg(history.messages.max(1))
                    .arg(milliseconds(history.ttl))
                    .arg(log_ttl)
                    .arg(message.sent.map_or(0, microseconds))
                    .arg(u8::from(self.options.announce))
                    .invoke_async(&mut connection)
                    .await
            }
            Job::Disconnect { tag, disconnect } => {
                let mut command = redis::cmd("XADD");
                command.arg(self.log_key()).arg("*").arg("d").arg(tag);
                command.arg("n").arg(disconnect.reason.as_ref());
                command.arg("r").arg(u8::from(disconnect.reconnect));
                command.query_async(&mut connection).await
            }
            Job::Save { sid, session } if session.subscriptions.is_empty() => {
                self.forget(sid).await
            }
            Job::Save { sid, session } => {
                // Writing a session as JSON cannot fail: its keys are strings.
                let text = serde_json::to_string(session).unwrap_or_default();
                let mut command = redis::cmd("SET");
                command
                    .arg(self.key("session", sid))
                    .arg(text)
                    .arg("PX")
                    .arg(session_ttl);
                command.query_async(&mut connection).await
            }
            Job::Touch { sid } => {
                let mut command = redis::cmd("PEXPIRE");
                command.arg(self.key("session", sid)).arg(session_ttl);
                command.query_async(&mut connection).await
            }
            Job::Forget { sid } => self.forget(sid).await,
            Job::Flush(_) => Ok(()),
        }
    }

    async fn forget(&self, sid: &str) -> RedisResult<()> {
        let mut command = redis::cmd("DEL");
        command.arg(self.key("session", sid));
        command.query_async(&mut self.connection.clone()).await
    }
}
