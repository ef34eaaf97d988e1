//! What leaves the workspace on behalf of rules: calls to other systems, and events for them.

mod hook;

use bytes::Bytes;
use proto::v1;
use serde_json::{Value, json};

use crate::condition::Context;
use crate::engine::Happening;
use crate::rule::{Action, CallWebhook};

pub(crate) use hook::Hooks;

/// Something to send, with its fields filled.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outgoing {
    /// A call.
    Webhook(v1::SealedWebhook),
    /// An event on `ext.<workspace>.<name>`.
    Event { name: String, json: Bytes },
}

impl Outgoing {
    /// What an action sends; `None` for actions that send nothing, and why it can't be said where a field is absent.
    pub(crate) fn of(
        action: &Action,
        happening: &Happening,
        run: &v1::Run,
        context: &Context,
    ) -> Option<Result<Outgoing, String>> {
        match action {
            Action::CallWebhook(call) => Some(webhook(call, happening, run, context).map(Outgoing::Webhook)),
            Action::Publish { name, data } => Some(match data.fill(context) {
                Ok(data) => Ok(Outgoing::Event { name: name.clone(), json: data.to_string().into() }),
                Err(fault) => Err(fault.to_string()),
            }),
            _ => None,
        }
    }
}

fn webhook(
    call: &CallWebhook,
    happening: &Happening,
    run: &v1::Run,
    context: &Context,
) -> Result<v1::SealedWebhook, String> {
    let body = match &call.body {
        Some(body) => body.fill(context).map_err(|fault| fault.to_string())?,
        None => about(happening, run),
    };
    let headers = call.headers.iter().map(|(name, value)| {
        let value = value.fill(context).map_err(|fault| fault.to_string())?;
        Ok(v1::WebhookHeader { name: name.clone(), value })
    });
    Ok(v1::SealedWebhook {
        url: call.url.clone(),
        headers: headers.collect::<Result<_, String>>()?,
        body: body.to_string().into(),
        timeout_ms: u32::try_from(call.timeout.as_millis()).unwrap_or(u32::MAX),
        attempts: call.attempts,
    })
}

/// The event and what it concerns: what is posted unless the rule says otherwise. Holds no words of the chat.
fn about(happening: &Happening, run: &v1::Run) -> Value {
    json!({
        "run": run.id,
        "rule": run.rule,
        "rule_version": run.rule_version,
        "workspace": happening.workspace,
        "conversation_id": run.conversation_id,
        "event": {
            "id": happening.event_id,
            "type": happening.trigger,
            "revision": happening.revision,
            "time": jiff::Timestamp::from_nanosecond(i128::from(happening.time.0)).map(|time| time.to_string()).ok(),
        },
        "ticket_id": happening.ticket,
        "data": happening.data,
    })
}
