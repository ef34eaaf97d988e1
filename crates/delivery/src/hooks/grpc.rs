//! `WebhookService`.
// tonic's own error is large, and every method of a service has to answer with it.
#![allow(clippy::result_large_err)]

use bus::{Endpoint, Source, now};
use proto::v1;
use proto::v1::webhook_service_server::{WebhookService, WebhookServiceServer};
use service::status::{self, Mistakes, refused};
use tonic::{Code, Request, Response, Status};

use super::events::{ALL, EVENT_TYPES, event_id, parts};
use super::post::Post;
use super::sign::written;
use super::store::Subscription;
use super::{Hooks, wire};

/// Most webhooks of a workspace: each is a durable consumer.
const MAX_WEBHOOKS: usize = 20;
/// Longest URL, in bytes.
const MAX_URL: usize = 2_048;
/// Longest description, in bytes.
const MAX_DESCRIPTION: usize = 256;
/// Most events that are queued again in one go.
const MAX_REPLAYED: i64 = 100_000;
/// Tries that are listed unless more are asked for, and at most.
const PAGE: usize = 50;
const MAX_PAGE: usize = 1_000;

/// `WebhookService`, ready to be served.
pub fn webhook_service(hooks: Hooks) -> WebhookServiceServer<Webhooks> {
    WebhookServiceServer::new(Webhooks(hooks)).max_decoding_message_size(service::MAX_REQUEST_BYTES)
}

/// Answers `WebhookService`.
#[derive(Clone)]
pub struct Webhooks(Hooks);

impl Webhooks {
    /// Answers for `hooks`.
    pub fn new(hooks: Hooks) -> Webhooks {
        Webhooks(hooks)
    }

    fn enter(&self, mistakes: Mistakes, workspace: &str) -> Result<(), Status> {
        mistakes.done()?;
        status::check_workspace(workspace, |name| self.0.0.options.workspaces.contains(name))
    }

    async fn found(&self, workspace: &str, id: &str) -> Result<Subscription, Status> {
        self.enter(Mistakes::default(), workspace)?;
        let found = self.0.0.store.find(workspace, id).await.map_err(|error| status::bus(&error))?;
        found.ok_or_else(|| status::not_found("webhook", id))
    }

    fn check_url(&self, mistakes: &mut Mistakes, url: &str) {
        mistakes.unless(url.len() <= MAX_URL, "url", format!("is longer than {MAX_URL} bytes"));
        if let Err(error) = self.0.0.client.check(url) {
            mistakes.add("url", error.to_string());
        }
    }
}

fn check_events(mistakes: &mut Mistakes, events: &[String]) {
    mistakes.unless(events.len() <= EVENT_TYPES.len(), "events", "are more than there are event types");
    for (at, event) in events.iter().enumerate() {
        let known = event == ALL || EVENT_TYPES.contains(&event.as_str());
        let known_types = || format!("is none of {}, or * for all", EVENT_TYPES.join(", "));
        if !known {
            mistakes.add(format!("events[{at}]"), known_types());
        }
    }
}

fn check_description(mistakes: &mut Mistakes, description: &str) {
    let fine = description.len() <= MAX_DESCRIPTION;
    mistakes.unless(fine, "description", format!("is longer than {MAX_DESCRIPTION} bytes"));
}

#[tonic::async_trait]
impl WebhookService for Webhooks {
    async fn create_webhook(
        &self,
        request: Request<v1::CreateWebhookRequest>,
    ) -> Result<Response<v1::CreateWebhookResponse>, Status> {
        let request = request.into_inner();
        let mut mistakes = Mistakes::default();
        self.check_url(&mut mistakes, &request.url);
        mistakes.unless(!request.events.is_empty(), "events", "are missing: * stands for all");
        check_events(&mut mistakes, &request.events);
        check_description(&mut mistakes, &request.description);
        self.enter(mistakes, &request.workspace)?;
        let store = &self.0.0.store;
        let there = store.of(&request.workspace).await.map_err(|error| status::bus(&error))?;
        if there.len() >= MAX_WEBHOOKS {
            let why = format!("the workspace has {MAX_WEBHOOKS} webhooks: delete one first");
            return Err(refused(Code::ResourceExhausted, "TOO_MANY_WEBHOOKS", "", why));
        }
        let id = format!("wh{}", nuid::next());
        let endpoint = Endpoint { workspace: request.workspace, id: id.clone() };
        let webhook = v1::Webhook {
            id,
            events: request.events,
            enabled: true,
            description: request.description,
            create_time: Some(proto::timestamp(now())),
            ..v1::Webhook::default()
        };
        let after = self.0.0.bus.newest(Source::Events).await.map_err(|error| status::bus(&error))?;
        let secret = bus::random::<24>().to_vec();
        let subscription = Subscription { endpoint, webhook, url: request.url, secret, after: wire(after) };
        store.create(&subscription).await.map_err(|error| status::bus(&error))?;
        let secret = written(&subscription.secret);
        Ok(Response::new(v1::CreateWebhookResponse { webhook: Some(subscription.shown()), secret }))
    }

    async fn list_webhooks(
        &self,
        request: Request<v1::ListWebhooksRequest>,
    ) -> Result<Response<v1::ListWebhooksResponse>, Status> {
        let workspace = request.into_inner().workspace;
        self.enter(Mistakes::default(), &workspace)?;
        let all = self.0.0.store.of(&workspace).await.map_err(|error| status::bus(&error))?;
        let webhooks = all.iter().map(Subscription::shown).collect();
        Ok(Response::new(v1::ListWebhooksResponse { webhooks }))
    }

    async fn update_webhook(
        &self,
        request: Request<v1::UpdateWebhookRequest>,
    ) -> Result<Response<v1::UpdateWebhookResponse>, Status> {
        let request = request.into_inner();
        let mut mistakes = Mistakes::default();
        let url = Some(request.url.as_str()).filter(|url| !url.is_empty());
        if let Some(url) = url {
            self.check_url(&mut mistakes, url);
        }
        check_events(&mut mistakes, &request.events);
        check_description(&mut mistakes, request.description.as_deref().unwrap_or_default());
        mistakes.done()?;
        let found = self.found(&request.workspace, &request.id).await?;
        let change = |webhook: &mut v1::Webhook| {
            if !request.events.is_empty() {
                webhook.events.clone_from(&request.events);
            }
            if let Some(description) = &request.description {
                webhook.description.clone_from(description);
            }
            if let Some(enabled) = request.enabled {
                webhook.enabled = enabled;
                webhook.disabled_reason.clear();
                webhook.failing_since = None;
            }
        };
        let changed = self.0.0.store.change(&found.endpoint, url, change).await;
        let changed = changed.map_err(|error| status::bus(&error))?;
        let webhook = changed.ok_or_else(|| status::not_found("webhook", &request.id))?.shown();
        Ok(Response::new(v1::UpdateWebhookResponse { webhook: Some(webhook) }))
    }

    async fn delete_webhook(
        &self,
        request: Request<v1::DeleteWebhookRequest>,
    ) -> Result<Response<v1::DeleteWebhookResponse>, Status> {
        let request = request.into_inner();
        let found = self.found(&request.workspace, &request.id).await?;
        let deleted = self.0.0.store.delete(&found.endpoint).await;
        deleted.map_err(|error| status::bus(&error))?;
        self.0.0.bus.forget_hooks(&found.endpoint).await.map_err(|error| status::bus(&error))?;
        Ok(Response::new(v1::DeleteWebhookResponse {}))
    }

    async fn test_webhook(
        &self,
        request: Request<v1::TestWebhookRequest>,
    ) -> Result<Response<v1::TestWebhookResponse>, Status> {
        let request = request.into_inner();
        let found = self.found(&request.workspace, &request.id).await?;
        let id = format!("test{}", nuid::next());
        let kind = "webhook.test".to_owned();
        let body = serde_json::json!({ "id": id, "type": kind, "workspace": request.workspace, "data": {} });
        let (tried, _) = self.0.post(&found, &Post { id, kind, body: body.to_string() }).await;
        let (delivered, detail) = match tried {
            Ok(detail) => (true, detail),
            Err(detail) => (false, detail),
        };
        Ok(Response::new(v1::TestWebhookResponse { delivered, detail }))
    }

    async fn replay_webhook(
        &self,
        request: Request<v1::ReplayWebhookRequest>,
    ) -> Result<Response<v1::ReplayWebhookResponse>, Status> {
        let request = request.into_inner();
        if request.after_revision < 0 {
            return Err(status::invalid("after_revision", "is negative"));
        }
        let found = self.found(&request.workspace, &request.id).await?;
        let after = u64::try_from(request.after_revision).unwrap_or(0);
        let (event_count, next_revision) = self.replay(&found, after).await.map_err(|error| status::bus(&error))?;
        Ok(Response::new(v1::ReplayWebhookResponse { event_count, next_revision }))
    }

    async fn list_webhook_deliveries(
        &self,
        request: Request<v1::ListWebhookDeliveriesRequest>,
    ) -> Result<Response<v1::ListWebhookDeliveriesResponse>, Status> {
        let request = request.into_inner();
        let limit = match usize::try_from(request.page_size) {
            Ok(0) => PAGE,
            Ok(size) => size.min(MAX_PAGE),
            Err(_) => return Err(status::invalid("page_size", "is negative")),
        };
        let found = self.found(&request.workspace, &request.id).await?;
        let deliveries = self.0.0.bus.hook_log(&found.endpoint, limit).await;
        let deliveries = deliveries.map_err(|error| status::bus(&error))?;
        Ok(Response::new(v1::ListWebhookDeliveriesResponse { deliveries }))
    }
}

impl Webhooks {
    /// Queues what the log holds after a revision. How many, and where to go on, 0 for nowhere.
    async fn replay(&self, subscription: &Subscription, after: u64) -> Result<(i64, i64), bus::Error> {
        let replay = nuid::next();
        let bus = &self.0.0.bus;
        let mut past = bus.past_after(&subscription.endpoint.workspace, after).await?;
        let mut count = 0;
        while let Some(batch) = past.next().await? {
            for recorded in batch {
                let Ok(event) = recorded.event() else { continue };
                for (nth, part) in (0..).zip(parts(&event)) {
                    if subscription.webhook.events.iter().any(|wanted| wanted == ALL || wanted == part.kind) {
                        let queued = v1::QueuedWebhook { revision: wire(recorded.revision), part: nth };
                        let name = format!("{}.{replay}", event_id(&event, nth));
                        bus.queue_hook(&subscription.endpoint, &name, &queued).await?;
                        count += 1;
                    }
                }
                if count >= MAX_REPLAYED {
                    return Ok((count, wire(recorded.revision)));
                }
            }
        }
        Ok((count, 0))
    }
}
