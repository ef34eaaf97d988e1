//! One try: what is posted is read from the log and unsealed when it is posted, so an erased chat stays erased.

use std::time::{Duration, Instant};

use bus::{Error, Handed, now};
use meter::meter;
use proto::v1;
use proto::v1::webhook_delivery::Outcome;
use service::outbound::{OutboundError, OutboundRequest};

use super::Hooks;
use super::events::{event_id, parts, payload};
use super::sign::signature;
use super::store::Subscription;

/// Longest pause between tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(8 * 3_600);
/// Tries of one event: with the default pause, about three days.
const ATTEMPTS: u64 = 15;
/// The receiver says that it is gone for good.
const GONE: &str = "answered 410";
/// Pause where the log can't be read: it is no try.
const AWAY: Duration = Duration::from_secs(2);

/// Something to post.
pub(super) struct Post {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) body: String,
}

impl Hooks {
    /// Tries once, and settles what was handed out.
    pub(super) async fn attempt(&self, subscription: &Subscription, item: Handed<v1::QueuedWebhook>) {
        match item.during(self.once(subscription, &item.queued, item.attempt)).await {
            Some(pause) => item.later(pause).await,
            None => item.done().await,
        }
    }

    /// Tries once. How long to wait before the next try, if there has to be one.
    async fn once(&self, subscription: &Subscription, queued: &v1::QueuedWebhook, attempt: u64) -> Option<Duration> {
        let post = match self.read(subscription, queued).await {
            Ok(Some(post)) => post,
            // The event is gone with its stream, or means something else to this version.
            Ok(None) => return None,
            Err(error) => {
                tracing::warn!(webhook = subscription.endpoint.id, %error, "reading what is to be posted again");
                return Some(AWAY);
            }
        };
        let started = Instant::now();
        let (tried, asked) = self.post(subscription, &post).await;
        meter().webhook_post_seconds.took([], started.elapsed());
        // Whoever asks for more time gets it, up to the longest pause.
        let pause = pause(self.0.options.pause, attempt).max(asked.unwrap_or_default().min(LONGEST_PAUSE));
        let (outcome, detail) = match &tried {
            Ok(detail) => (Outcome::Delivered, detail.clone()),
            Err(detail) if attempt >= ATTEMPTS => (Outcome::GaveUp, detail.clone()),
            Err(detail) => (Outcome::Failed, detail.clone()),
        };
        meter().webhook_posts.one([match outcome {
            Outcome::Delivered => "delivered",
            Outcome::GaveUp => "gave_up",
            _ => "failed",
        }]);
        let next = (outcome == Outcome::Failed).then_some(pause);
        let told = v1::WebhookDelivery {
            event_id: post.id,
            r#type: post.kind,
            revision: queued.revision,
            attempt: i64::try_from(attempt).unwrap_or(i64::MAX),
            outcome: outcome.into(),
            detail,
            time: Some(proto::timestamp(now())),
            next_time: next.map(|pause| proto::timestamp(now().plus(pause))),
        };
        let (bus, endpoint) = (&self.0.bus, &subscription.endpoint);
        if let Err(error) = bus.log_hook(endpoint, &told).await {
            tracing::debug!(%error, "a try was not written down");
        }
        if let Err(error) = self.tell(subscription, tried.err().as_deref()).await {
            tracing::debug!(%error, "it was not noted whether an endpoint takes what it gets");
        }
        next
    }

    /// What a reference stands for; `None` when it stands for nothing any more.
    async fn read(&self, subscription: &Subscription, queued: &v1::QueuedWebhook) -> Result<Option<Post>, Error> {
        let revision = u64::try_from(queued.revision).unwrap_or(0);
        let Some(event) = self.0.bus.event_at(revision).await? else { return Ok(None) };
        if event.workspace != subscription.endpoint.workspace {
            return Ok(None);
        }
        let parts = parts(&event);
        let Some(part) = usize::try_from(queued.part).ok().and_then(|nth| parts.get(nth)) else { return Ok(None) };
        let keyring = self.0.bus.conversation(&event.workspace, &event.conversation).await?;
        let body = payload(&event, revision, part, queued.part, keyring.as_ref());
        Ok(Some(Post { id: event_id(&event, queued.part), kind: part.kind.to_owned(), body: body.to_string() }))
    }

    /// Posts once. What was answered, or why there is no good answer; and how long the endpoint asks to be left alone.
    pub(super) async fn post(
        &self,
        subscription: &Subscription,
        post: &Post,
    ) -> (Result<String, String>, Option<Duration>) {
        let timestamp = now().0 / 1_000_000_000;
        let signed = signature(&subscription.secret, &post.id, timestamp, post.body.as_bytes());
        let headers = [
            ("webhook-id", post.id.clone()),
            ("webhook-timestamp", timestamp.to_string()),
            ("webhook-signature", signed),
        ];
        let request = OutboundRequest {
            method: "POST".to_owned(),
            url: subscription.url.clone(),
            headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            body: post.body.clone().into(),
            timeout: self.0.options.timeout,
        };
        let (tried, asked) = self.0.client.send_and_ask(&request).await;
        let tried = match tried {
            Ok(status) => Ok(format!("answered {}", status.as_u16())),
            Err(OutboundError::Again(why) | OutboundError::Never(why)) => Err(why),
        };
        (tried, asked)
    }

    /// Notes what came of a try where that is news.
    async fn tell(&self, subscription: &Subscription, failed: Option<&str>) -> Result<(), Error> {
        let endpoint = &subscription.endpoint;
        let held = self.0.store.known(endpoint).await;
        if failed.is_none() && held.is_some_and(|held| held.webhook.failing_since.is_none()) {
            return Ok(());
        }
        let disable_after = match failed {
            Some(GONE) => Duration::ZERO,
            _ => self.0.options.disable_after,
        };
        self.0.store.tell(endpoint, failed, disable_after).await
    }
}

/// Before the next try: `first`, then four times as long each time, and up to a tenth more or less so that what failed
/// together does not come again together.
fn pause(first: Duration, attempt: u64) -> Duration {
    let times = 4_u32.saturating_pow(u32::try_from(attempt.saturating_sub(1)).unwrap_or(u32::MAX));
    let pause = first.saturating_mul(times).min(LONGEST_PAUSE);
    pause.mul_f64(0.9 + 0.2 * fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_the_tries_last_for_days() {
        let first = Duration::from_secs(5);
        let all: Vec<Duration> = (1..ATTEMPTS).map(|attempt| pause(first, attempt)).collect();
        assert!(all[0] < Duration::from_secs(6) && all[1] > Duration::from_secs(17));
        let total: Duration = all.iter().sum();
        assert!(total > Duration::from_secs(2 * 86_400), "{total:?}");
        assert!(pause(first, u64::MAX) <= LONGEST_PAUSE.mul_f64(1.1));
    }
}
