//! Tells the spans of a process to a collector, by OTLP over gRPC.

use std::time::Duration;

use bus::Span;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider};

use crate::config::{Config, ConfigError};

/// Spans that wait to be told. What comes while so many wait is not told at all: nobody waits for a collector.
const QUEUE: usize = 4_096;
/// Spans are told at least so often while there are any.
const PAUSE: Duration = Duration::from_secs(1);
/// How long the collector may take for one answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How long the end of the process waits for the last ones.
const LAST: Duration = Duration::from_secs(2);

/// Traces of a process. When this is dropped, at its end, the last spans are told, for at most 2 s.
#[must_use = "the last spans are told when it is dropped"]
pub struct Traces(Option<SdkTracerProvider>);

/// Begins to tell the spans of this process, under the name of its service, where `traces.endpoint` is set. Within a
/// runtime, on whose threads the connection lives.
///
/// # Errors
/// [`ConfigError::Wrong`] when the endpoint can't be one. A collector that is away is no error.
pub fn init(config: &Config, service: &'static str) -> Result<Traces, ConfigError> {
    let traces = &config.traces;
    if traces.endpoint.is_empty() {
        return Ok(Traces(None));
    }
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(&traces.endpoint).with_timeout(ANSWER).build();
    let exporter = exporter.map_err(|error| ConfigError::Wrong(format!("traces.endpoint: {error}")))?;
    let batches = BatchConfigBuilder::default().with_max_queue_size(QUEUE).with_scheduled_delay(PAUSE).build();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(batches).build())
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(traces.sample_ratio))))
        .with_resource(Resource::builder().with_service_name(service).build())
        .build();
    Span::collect_with(provider.tracer("threadmark"));
    Ok(Traces(Some(provider)))
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Some(provider) = &self.0
            && let Err(error) = provider.shutdown_with_timeout(LAST)
        {
            tracing::warn!(%error, "the last traces were not told");
        }
    }
}
