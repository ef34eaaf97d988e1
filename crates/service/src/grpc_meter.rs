//! Counts the calls that are answered, and how long it takes until they are.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};
use std::time::Instant;

use bus::{Span, SpanKind, TraceParent};
use meter::meter;
use prost::Message as _;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{HeaderValue, Request, Response};

/// What is asked for that is no method of ours: whoever asks must not make up labels.
const OTHER: (&str, &str) = ("other", "other");

/// Service and method of each path.
static METHODS: LazyLock<BTreeMap<String, (String, String)>> = LazyLock::new(|| {
    let sets = [proto::FILE_DESCRIPTOR_SET, tonic_health::pb::FILE_DESCRIPTOR_SET];
    let files = sets.into_iter().filter_map(|set| prost_types::FileDescriptorSet::decode(set).ok());
    let mut methods = BTreeMap::new();
    for file in files.flat_map(|set| set.file) {
        for service in &file.service {
            for method in &service.method {
                let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                methods.insert(path, (service.name().to_owned(), method.name().to_owned()));
            }
        }
    }
    methods
});

/// A service whose calls are counted.
#[derive(Clone, Debug)]
pub(crate) struct Metered<S>(S);

impl<S> Metered<S> {
    pub(crate) fn new(service: S) -> Metered<S> {
        Metered(service)
    }
}

impl<S, B> Service<Request<B>> for Metered<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let named = METHODS.get(request.uri().path());
        let (service, method) = named.map_or(OTHER, |(service, method)| (service.as_str(), method.as_str()));
        let mut span = named
            .filter(|named| named.0 != "Health" && Span::is_collected())
            .map(|_| begin(service, method, &mut request));
        let (started, answering) = (Instant::now(), self.0.call(request));
        Box::pin(async move {
            let answer = answering.await;
            let status = answer.as_ref().ok().and_then(|answer| Status::from_header_map(answer.headers()));
            // Without a status the answer goes on, and ends with one of its own.
            let code = status.map_or(tonic::Code::Ok, |status| status.code());
            if let Some(span) = &mut span {
                span.set("rpc.grpc.status_code", i64::from(i32::from(code)));
                if matches!(code, tonic::Code::Unknown | tonic::Code::Internal | tonic::Code::Unavailable) {
                    span.failed("status");
                }
            }
            meter().grpc_requests.one([service, method, &format!("{code:?}")]);
            meter().grpc_seconds.took([service, method], started.elapsed());
            answer
        })
    }
}

/// The step that a call is, in the trace of whoever calls if they say one. Whoever answers goes on from it.
fn begin<B>(service: &'static str, method: &'static str, request: &mut Request<B>) -> Span {
    let given = request.headers().get(TraceParent::HEADER).and_then(|header| header.to_str().ok());
    let given = given.and_then(TraceParent::parse);
    let mut span = Span::start(format!("threadmark.v1.{service}/{method}"), SpanKind::Server, given.as_ref());
    span.set("rpc.system", "grpc");
    span.set("rpc.service", format!("threadmark.v1.{service}"));
    span.set("rpc.method", method);
    if let Ok(own) = HeaderValue::from_str(span.trace().as_str()) {
        request.headers_mut().insert(TraceParent::HEADER, own);
    }
    span
}

#[cfg(test)]
mod tests {
    use super::METHODS;

    #[test]
    fn every_method_of_the_contract_has_its_label() {
        let (service, method) = &METHODS["/threadmark.v1.TicketService/GetTicket"];
        assert_eq!((service.as_str(), method.as_str()), ("TicketService", "GetTicket"));
        assert!(METHODS.contains_key("/grpc.health.v1.Health/Check"));
    }
}
