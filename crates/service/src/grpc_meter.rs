//! Counts the calls that are answered, and how long it takes until they are.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};
use std::time::Instant;

use meter::meter;
use prost::Message as _;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{Request, Response};

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

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let named = METHODS.get(request.uri().path());
        let (service, method) = named.map_or(OTHER, |(service, method)| (service.as_str(), method.as_str()));
        let (started, answering) = (Instant::now(), self.0.call(request));
        Box::pin(async move {
            let answer = answering.await;
            let status = answer.as_ref().ok().and_then(|answer| Status::from_header_map(answer.headers()));
            // Without a status the answer goes on, and ends with one of its own.
            let code = status.map_or(tonic::Code::Ok, |status| status.code());
            meter().grpc_requests.one([service, method, &format!("{code:?}")]);
            meter().grpc_seconds.took([service, method], started.elapsed());
            answer
        })
    }
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
