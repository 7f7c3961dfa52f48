//! Writing into the chain.

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr};
use uuid::Uuid;

use super::{
    action::Action,
    actor,
    chain::{Chain, Content, Hash, Place},
    store::{self, Head},
};
use crate::platform::{clock::Moment, db, keys::Keyring};

/// Lines of before the chain that are given their places at a time.
const BATCH: u64 = 1000;

/// Begins the logs of sites that have none, and takes over their lines of before there was a chain.
///
/// # Errors
/// When the database fails.
pub async fn begin(
    db: &DatabaseConnection,
    keys: &Keyring,
    sites: impl IntoIterator<Item = Uuid>,
    now: Moment,
) -> Result<(), DbErr> {
    for site_id in sites {
        if store::find_head(db, site_id).await?.is_none() {
            let transaction = db::begin(db).await?;
            let mut writer = Writer::of(&transaction, keys, site_id);
            writer.open(now).await?;
            transaction.commit().await?;
        }
    }
    Ok(())
}

/// Whether there is a log of this site, or of what had its id.
///
/// # Errors
/// When the database fails.
pub async fn is_begun(db: &impl ConnectionTrait, site_id: Uuid) -> Result<bool, DbErr> {
    Ok(store::find_head(db, site_id).await?.is_some())
}

/// Puts a line at the end of its site's chain.
pub(super) async fn append(
    transaction: &DatabaseTransaction,
    keys: &Keyring,
    content: Content,
) -> Result<(), DbErr> {
    let mut writer = Writer::of(transaction, keys, content.site_id);
    let mut head = writer.open(content.created_at).await?;
    writer.put(&mut head, content).await?;
    writer.store(&mut head).await
}

/// Who holds the head of a site.
struct Writer<'a> {
    transaction: &'a DatabaseTransaction,
    chain: Chain,
}

impl<'a> Writer<'a> {
    fn of(transaction: &'a DatabaseTransaction, keys: &Keyring, site_id: Uuid) -> Self {
        Self {
            transaction,
            chain: Chain::of(keys, site_id),
        }
    }

    /// The head, held; made where there is none. One that is not as it was left is gone on from all the
    /// same, so that nobody is kept from signing on, but the log says so for good.
    async fn open(&mut self, now: Moment) -> Result<Head, DbErr> {
        let site_id = self.chain.site_id;
        if let Some(head) = store::hold_head(self.transaction, site_id).await? {
            return self.trust(head, now).await;
        }
        if !store::insert_head(self.transaction, site_id).await? {
            let made = store::hold_head(self.transaction, site_id).await?;
            let made = made.ok_or_else(|| DbErr::RecordNotFound("audit_heads".into()))?;
            return self.trust(made, now).await;
        }
        let mut head = Head {
            last: Place::default(),
            pruned: Place::default(),
            seal: Hash::default(),
        };
        if let Some(last) = store::last(self.transaction, site_id).await? {
            head.last = last;
            self.tell(&mut head, Action::LogBroken, "the head was missing", now)
                .await?;
        } else {
            self.take_over(&mut head, now).await?;
        }
        self.store(&mut head).await?;
        Ok(head)
    }

    async fn trust(&self, mut head: Head, now: Moment) -> Result<Head, DbErr> {
        if self.chain.seal(&head.last, &head.pruned).is(&head.seal) {
            return Ok(head);
        }
        let text = "the head was changed";
        // Where lines are left that a head put back would have the next one collide with.
        if let Some(last) = store::last(self.transaction, self.chain.site_id).await?
            && last.seq > head.last.seq
        {
            head.last = last;
        }
        self.tell(&mut head, Action::LogBroken, text, now).await?;
        self.store(&mut head).await?;
        Ok(head)
    }

    /// Lines of before the chain follow the line that says how many they are.
    async fn take_over(&self, head: &mut Head, now: Moment) -> Result<(), DbErr> {
        let site_id = self.chain.site_id;
        let before = store::count_loose(self.transaction, site_id).await?;
        let text = format!("{before} line(s) of before were taken over");
        self.tell(head, Action::LogBegun, &text, now).await?;
        loop {
            let lines = store::loose(self.transaction, site_id, BATCH).await?;
            if lines.is_empty() {
                return Ok(());
            }
            for line in lines {
                head.last = self.chain.next(&head.last, &line.content);
                store::place(self.transaction, line.content.id, &head.last).await?;
            }
        }
    }

    async fn tell(
        &self,
        head: &mut Head,
        action: Action,
        detail: &str,
        now: Moment,
    ) -> Result<(), DbErr> {
        if action == Action::LogBroken {
            tracing::error!(site_id = %self.chain.site_id, detail, "the audit log is broken; run axiam audit verify");
        }
        let caller = actor::current();
        let network = caller.network.map(|network| network.to_string());
        let content = Content {
            id: Uuid::new_v4(),
            site_id: self.chain.site_id,
            client_id: None,
            device_id: None,
            sign_on_id: None,
            action: action.as_str().to_owned(),
            actor: caller.actor.to_string(),
            network: network.unwrap_or_default(),
            detail: detail.to_owned(),
            created_at: now,
        };
        self.put(head, content).await
    }

    async fn put(&self, head: &mut Head, content: Content) -> Result<(), DbErr> {
        head.last = self.chain.next(&head.last, &content);
        store::insert(self.transaction, content, &head.last).await
    }

    async fn store(&self, head: &mut Head) -> Result<(), DbErr> {
        head.seal = self.chain.seal(&head.last, &head.pruned);
        store::store_head(self.transaction, self.chain.site_id, head).await
    }
}
