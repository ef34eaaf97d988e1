//! Who is subscribed to what: the bucket `webhooks`, and a copy of it that is as new as what it is asked about.

use std::collections::HashMap;
use std::sync::Arc;

use bus::{Bucket, BucketName, Bus, Change, Endpoint, Error, Stored, TraceParent, now};
use conversation::Time;
use prost::Message as _;
use proto::v1;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::events::ALL;

/// A subscription with what is needed to post.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Subscription {
    pub(crate) endpoint: Endpoint,
    pub(crate) webhook: v1::Webhook,
    pub(crate) url: String,
    pub(crate) secret: Vec<u8>,
    /// What stands after this revision is posted.
    pub(crate) after: i64,
}

impl Subscription {
    pub(crate) fn wants(&self, kind: &str) -> bool {
        self.webhook.enabled && self.webhook.events.iter().any(|event| event == ALL || event == kind)
    }

    /// As clients see it.
    pub(crate) fn shown(&self) -> v1::Webhook {
        v1::Webhook { url: self.url.clone(), ..self.webhook.clone() }
    }
}

/// Reads and writes subscriptions. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Store {
    bus: Bus,
    bucket: Bucket,
    copy: Arc<Mutex<Copy>>,
}

#[derive(Default)]
struct Copy {
    /// When the copy was last known to be the newest.
    checked: Option<Instant>,
    newest: u64,
    all: Arc<HashMap<String, Vec<Subscription>>>,
}

impl Store {
    pub(crate) fn new(bus: Bus) -> Store {
        Store { bucket: bus.bucket(BucketName::Webhooks), bus, copy: Arc::default() }
    }

    /// Every subscription, by workspace, at least as new as this call. One small read of the leader, shared by all who
    /// wait for it.
    pub(crate) async fn all(&self) -> Result<Arc<HashMap<String, Vec<Subscription>>>, Error> {
        let asked = Instant::now();
        let mut copy = self.copy.lock().await;
        if copy.checked.is_some_and(|checked| checked >= asked) {
            return Ok(copy.all.clone());
        }
        let began = Instant::now();
        let newest = self.bucket.newest("").await?;
        if newest != copy.newest {
            let mut all: HashMap<String, Vec<Subscription>> = HashMap::new();
            for stored in self.bucket.list::<v1::StoredWebhook>("").await? {
                if let Some(subscription) = self.open(stored).await? {
                    all.entry(subscription.endpoint.workspace.clone()).or_default().push(subscription);
                }
            }
            copy.all = Arc::new(all);
            copy.newest = newest;
        }
        copy.checked = Some(began);
        Ok(copy.all.clone())
    }

    pub(crate) async fn of(&self, workspace: &str) -> Result<Vec<Subscription>, Error> {
        Ok(self.all().await?.get(workspace).cloned().unwrap_or_default())
    }

    pub(crate) async fn find(&self, workspace: &str, id: &str) -> Result<Option<Subscription>, Error> {
        Ok(self.of(workspace).await?.into_iter().find(|subscription| subscription.endpoint.id == id))
    }

    /// One as the copy has it, which may be a little old.
    pub(crate) async fn known(&self, endpoint: &Endpoint) -> Option<Subscription> {
        let all = self.copy.lock().await.all.clone();
        all.get(&endpoint.workspace)?.iter().find(|one| one.endpoint == *endpoint).cloned()
    }

    /// Writes a new one.
    pub(crate) async fn create(&self, subscription: &Subscription) -> Result<(), Error> {
        let stored = self.seal(subscription).await?;
        self.bucket.put(&key(&subscription.endpoint), &stored, Some(0)).await.map(drop)
    }

    /// Changes one; `None` when there is none.
    pub(crate) async fn change(
        &self,
        endpoint: &Endpoint,
        url: Option<&str>,
        mut change: impl FnMut(&mut v1::Webhook),
    ) -> Result<Option<Subscription>, Error> {
        let Some(mut found) = self.find(&endpoint.workspace, &endpoint.id).await? else { return Ok(None) };
        if let Some(url) = url {
            url.clone_into(&mut found.url);
        }
        let sealed = self.seal(&found).await?.sealed;
        let (_, webhook) = self
            .bucket
            .modify(&key(endpoint), |stored: Option<v1::StoredWebhook>, _| {
                let Some(mut stored) = stored else { return (Change::Keep, None) };
                let before = stored.clone();
                let webhook = stored.webhook.get_or_insert_default();
                change(webhook);
                let after = webhook.clone();
                if url.is_some() {
                    stored.sealed.clone_from(&sealed);
                }
                (if stored == before { Change::Keep } else { Change::Put(stored) }, Some(after))
            })
            .await?;
        Ok(webhook.map(|webhook| Subscription { webhook, ..found }))
    }

    /// Deletes one. Whether it was there.
    pub(crate) async fn delete(&self, endpoint: &Endpoint) -> Result<bool, Error> {
        let there = self.find(&endpoint.workspace, &endpoint.id).await?.is_some();
        if there {
            self.bucket.delete(&key(endpoint), None).await?;
        }
        Ok(there)
    }

    /// Notes that an endpoint took what it got, or why it did not; one that took nothing for too long is disabled.
    pub(crate) async fn tell(
        &self,
        endpoint: &Endpoint,
        failed: Option<&str>,
        disable_after: std::time::Duration,
    ) -> Result<(), Error> {
        let now = now();
        let mut disabled = None;
        self.change(endpoint, None, |webhook| match failed {
            None => webhook.failing_since = None,
            Some(why) => {
                let since = webhook.failing_since.as_ref().and_then(proto::time).unwrap_or(now);
                webhook.failing_since = Some(proto::timestamp(since));
                if webhook.enabled && now.since(since) >= disable_after {
                    webhook.enabled = false;
                    webhook.disabled_reason = format!("nothing was taken for {} h: {why}", hours(now, since));
                    disabled = Some(webhook.disabled_reason.clone());
                }
            }
        })
        .await?;
        if let Some(reason) = disabled {
            tracing::warn!(workspace = endpoint.workspace, webhook = endpoint.id, reason, "webhook disabled");
            let json = serde_json::json!({ "webhook_id": endpoint.id, "reason": reason }).to_string();
            let id = format!("webhook.disabled.{}.{}", endpoint.id, now.0);
            let trace = TraceParent::start();
            self.bus.publish_external(&endpoint.workspace, "webhook.disabled", &id, json.into(), &trace).await?;
        }
        Ok(())
    }

    async fn seal(&self, subscription: &Subscription) -> Result<v1::StoredWebhook, Error> {
        let target =
            v1::SealedWebhookTarget { url: subscription.url.clone(), secret: subscription.secret.clone().into() };
        let sealed = self.bus.workspace(&subscription.endpoint.workspace).await?.seal(&target.encode_to_vec());
        Ok(v1::StoredWebhook {
            webhook: Some(subscription.webhook.clone()),
            sealed: sealed.into(),
            after_revision: subscription.after,
        })
    }

    async fn open(&self, stored: Stored<v1::StoredWebhook>) -> Result<Option<Subscription>, Error> {
        let Some((workspace, id)) = stored.key.split_once('.') else { return Ok(None) };
        let endpoint = Endpoint { workspace: workspace.to_owned(), id: id.to_owned() };
        let clear = self.bus.workspace(workspace).await?.open(&stored.value.sealed).ok();
        let target = clear.and_then(|clear| v1::SealedWebhookTarget::decode(clear.as_slice()).ok());
        let Some(target) = target else {
            tracing::error!(workspace, webhook = id, "a webhook can't be unsealed: it is left out");
            return Ok(None);
        };
        let (webhook, after) = (stored.value.webhook.unwrap_or_default(), stored.value.after_revision);
        Ok(Some(Subscription { endpoint, webhook, url: target.url, secret: target.secret.to_vec(), after }))
    }
}

fn key(endpoint: &Endpoint) -> String {
    format!("{}.{}", endpoint.workspace, endpoint.id)
}

fn hours(now: Time, since: Time) -> u64 {
    now.since(since).as_secs() / 3_600
}
