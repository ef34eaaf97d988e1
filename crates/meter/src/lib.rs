//! Everything that is counted and measured, in one place: the metrics of a process, as Prometheus reads them.
//!
//! Architecture Invariant: labels are bounded. They name methods, kinds, outcomes and consumers, never a conversation, a
//! customer or what anybody said. docs/metrics.md says what each metric means.

mod kinds;

use std::sync::LazyLock;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use kinds::Builder;
pub use kinds::{Counted, Level, Timed};

/// How a scraper is told what [`Meter::text`] is.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// What every name begins with.
const PREFIX: &str = "threadmark";

static METER: LazyLock<Meter> = LazyLock::new(Meter::new);

/// The metrics of this process.
pub fn meter() -> &'static Meter {
    &METER
}

/// Every metric there is.
#[derive(Debug)]
pub struct Meter {
    registry: Registry,
    names: Vec<String>,
    /// Calls answered: service, method, code.
    pub grpc_requests: Counted<3>,
    /// Until an answer begins: service, method.
    pub grpc_seconds: Timed<2>,
    /// Requests of channels: status.
    pub http_requests: Counted<1>,
    /// Messages appended to the bus: what is inside.
    pub events_appended: Counted<1>,
    /// Until the bus has acknowledged what is appended together.
    pub append_seconds: Timed<0>,
    /// Commands decided: kind of actor, outcome.
    pub decisions: Counted<2>,
    /// Commands that the rules of the window refused: reason.
    pub refusals: Counted<1>,
    /// What the server refused since the user may not.
    pub bus_denied: Counted<0>,
    /// Inbound items that could not become events: source.
    pub rejected: Counted<1>,
    /// Events that a worker gave up on: worker.
    pub dead_letters: Counted<1>,
    /// Tries of workers at an event: worker, outcome.
    pub worker_events: Counted<2>,
    /// Until a worker is done with an event, all its tries together: worker.
    pub worker_seconds: Timed<1>,
    /// What a consumer was not handed yet: stream, consumer.
    pub consumer_pending: Level<2>,
    /// What a consumer was handed and did not acknowledge yet: stream, consumer.
    pub consumer_ack_pending: Level<2>,
    /// How much later than due a timer is worked on.
    pub timer_late_seconds: Timed<0>,
    /// Calls to channels: kind of channel, outcome.
    pub sends: Counted<2>,
    /// How long a call to a channel takes: kind of channel.
    pub send_seconds: Timed<1>,
    /// Tries to post an event to a subscriber: outcome.
    pub webhook_posts: Counted<1>,
    /// How long such a try takes.
    pub webhook_post_seconds: Timed<0>,
    /// The newest revision in the view.
    pub projection_revision: Level<0>,
    /// The newest revision on the stream, as the view last heard.
    pub projection_stream_revision: Level<0>,
    /// Tickets that are open now, primary and nested: workspace, of those that the configuration names.
    pub open_tickets: Level<1>,
}

impl Meter {
    fn new() -> Meter {
        let mut made = Builder { registry: Registry::with_prefix(PREFIX), names: Vec::new() };
        let grpc = ["service", "method"];
        Meter {
            grpc_requests: made.counter("grpc_requests", "Calls answered", ["service", "method", "code"]),
            grpc_seconds: made.timer("grpc_seconds", "Until an answer begins", grpc),
            http_requests: made.counter("http_requests", "Webhook requests of channels answered", ["status"]),
            events_appended: made.counter("events_appended", "Messages appended to the bus", ["event"]),
            append_seconds: made.timer("append_seconds", "Until the bus has acknowledged", []),
            decisions: made.counter("decisions", "Commands decided", ["actor", "outcome"]),
            refusals: made.counter("refusals", "Commands refused by the rules of the window", ["reason"]),
            bus_denied: made.counter("bus_denied", "What the bus did not let this process do", []),
            rejected: made.counter("rejected", "Inbound items that could not become events", ["source"]),
            dead_letters: made.counter("dead_letters", "Events given up on", ["worker"]),
            worker_events: made.counter("worker_events", "Tries of workers at an event", ["worker", "outcome"]),
            worker_seconds: made.timer("worker_seconds", "Until a worker is done with an event", ["worker"]),
            consumer_pending: made.level("consumer_pending", "Not handed out yet", ["stream", "consumer"]),
            consumer_ack_pending: made.level("consumer_ack_pending", "Handed out, not done", ["stream", "consumer"]),
            timer_late_seconds: made.timer("timer_late_seconds", "From when a timer was due until work on it", []),
            sends: made.counter("sends", "Calls to channels", ["channel", "outcome"]),
            send_seconds: made.timer("send_seconds", "How long a call to a channel takes", ["channel"]),
            webhook_posts: made.counter("webhook_posts", "Tries to post an event to a subscriber", ["outcome"]),
            webhook_post_seconds: made.timer("webhook_post_seconds", "How long such a try takes", []),
            projection_revision: made.level("projection_revision", "Newest revision in the view", []),
            projection_stream_revision: made.level("projection_stream_revision", "Newest revision on the stream", []),
            open_tickets: made.level("open_tickets", "Tickets open now, primary and nested", ["workspace"]),
            registry: made.registry,
            names: made.names.into_iter().map(|name| format!("{PREFIX}_{name}")).collect(),
        }
    }

    /// What they are called, without what OpenMetrics adds for their kind.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// All of them that have a value, in the OpenMetrics text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // A test has nothing better to do about it.
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::meter;

    #[test]
    fn what_is_counted_and_measured_stands_in_the_text() {
        meter().decisions.one(["agent", "decided"]);
        meter().grpc_seconds.took(["TicketService", "GetTicket"], Duration::from_millis(2));
        meter().open_tickets.set(["acme"], 7);
        let text = meter().text();
        assert!(text.contains("threadmark_decisions_total{actor=\"agent\",outcome=\"decided\"} 1"), "{text}");
        assert!(text.contains("threadmark_grpc_seconds_bucket{le=\"0.0025\",service=\"TicketService\""), "{text}");
        assert!(text.contains("threadmark_open_tickets{workspace=\"acme\"} 7"), "{text}");
    }

    fn names() -> BTreeSet<String> {
        meter().names().iter().cloned().collect()
    }

    /// The metrics that a text names.
    fn named(text: &str) -> BTreeSet<String> {
        let word = |c: char| c.is_ascii_lowercase() || c == '_';
        let words = text.split(|c| !word(c)).filter(|name| name.starts_with("threadmark_"));
        words.map(|name| name.trim_end_matches("_total").trim_end_matches("_bucket").to_owned()).collect()
    }

    #[test]
    fn every_metric_is_in_the_docs_and_nothing_else() {
        assert_eq!(named(include_str!("../../../docs/metrics.md")), names());
    }

    #[test]
    fn dashboards_and_alerts_can_be_read_and_name_what_there_is() {
        let dashboard = include_str!("../../../deploy/grafana/dashboards/threadmark.json");
        let parsed: serde_json::Value = serde_json::from_str(dashboard).unwrap();
        assert!(!parsed["panels"].as_array().unwrap().is_empty());
        let alerts = include_str!("../../../deploy/prometheus/alerts.yml");
        for file in [
            alerts,
            include_str!("../../../deploy/prometheus/prometheus.yml"),
            include_str!("../../../deploy/grafana/provisioning/datasources/prometheus.yml"),
            include_str!("../../../deploy/grafana/provisioning/dashboards/threadmark.yml"),
        ] {
            assert!(saphyr_parser::Parser::new_from_str(file).all(|event| event.is_ok()), "{file}");
        }
        for file in [dashboard, alerts] {
            let unknown: Vec<String> = named(file).difference(&names()).cloned().collect();
            assert!(unknown.is_empty() && !named(file).is_empty(), "{unknown:?}");
        }
    }
}
