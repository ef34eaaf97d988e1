//! One HTTP request to another system: checked, signed, and over in time.

use std::error::Error as _;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use hmac::{Hmac, Mac};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode, Url, redirect};
use sha2::Sha256;

use super::address::is_private;

const CONNECT: Duration = Duration::from_secs(5);
/// Header: "sha256=" and the HMAC of the body under the workspace's secret, in hex.
const SIGNATURE: HeaderName = HeaderName::from_static("x-threadmark-signature");
/// Header: the same at each try, so that the target can know a repeat.
const DELIVERY: HeaderName = HeaderName::from_static("x-threadmark-delivery");

/// Why a try did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HookError {
    /// Trying again may help.
    #[error("{0}")]
    Again(String),
    /// It never will.
    #[error("{0}")]
    Never(String),
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HookRequest {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    /// Names this request, the same at each try.
    pub(crate) delivery: String,
    /// How long it may take, from the first byte to the answer's head.
    pub(crate) timeout: Duration,
}

/// Sends requests. Cheap to clone.
#[derive(Clone)]
pub(crate) struct HookClient {
    http: reqwest::Client,
    allow_private: bool,
}

impl HookClient {
    /// `allow_private`: whether addresses that are not public may be reached.
    ///
    /// # Errors
    /// When no TLS can be had.
    pub(crate) fn new(allow_private: bool) -> Result<HookClient, reqwest::Error> {
        let http = reqwest::Client::builder()
            // What was checked is what is connected to: no proxy, no redirect, one look-up.
            .no_proxy()
            .redirect(redirect::Policy::none())
            .dns_resolver(std::sync::Arc::new(Checked { allow_private }))
            .connect_timeout(CONNECT)
            .user_agent("threadmark")
            .build()?;
        Ok(HookClient { http, allow_private })
    }

    /// Tries once; the answer's status where it is a success.
    pub(crate) async fn send(&self, request: &HookRequest, secret: &str) -> Result<StatusCode, HookError> {
        let url = self.check(&request.url)?;
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| HookError::Never(format!("{:?} is no HTTP method", request.method)))?;
        let headers = headers(request, secret)?;
        let sent = self.http.request(method, url).headers(headers).timeout(request.timeout);
        let sent = sent.body(request.body.clone()).send().await;
        judge(sent.map_err(|error| failed(&error, request.timeout))?.status())
    }

    /// The target of a request: http or https, with a host that is not a private address in digits.
    pub(crate) fn check(&self, url: &str) -> Result<Url, HookError> {
        let url = Url::parse(url).map_err(|error| HookError::Never(format!("the target is no URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(HookError::Never(format!("{}: only http and https are spoken", url.scheme())));
        }
        let host = url.host_str().unwrap_or_default();
        let digits = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match digits {
            Ok(address) if is_private(address) && !self.allow_private => Err(HookError::Never(private(host))),
            _ => Ok(url),
        }
    }
}

fn private(host: &str) -> String {
    format!("{host} is a private address, which is refused unless automation.allow_private_targets is true")
}

fn headers(request: &HookRequest, secret: &str) -> Result<HeaderMap, HookError> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in &request.headers {
        let header = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(value).ok());
        let (name, value) = header.ok_or_else(|| HookError::Never(format!("header {name:?} can't be sent")))?;
        headers.insert(name, value);
    }
    let signed = HeaderValue::from_str(&sign(secret, &request.body));
    let delivery = HeaderValue::from_str(&request.delivery);
    let ours = signed.ok().zip(delivery.ok()).ok_or_else(|| HookError::Never("its id can't be sent".to_owned()))?;
    headers.insert(SIGNATURE, ours.0);
    headers.insert(DELIVERY, ours.1);
    Ok(headers)
}

/// What a target compares: "sha256=" and 64 hex digits.
fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = match Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        Ok(mac) => mac,
        Err(_) => unreachable!("HMAC takes keys of any length"),
    };
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

/// What an answer means. A request that the target calls wrong is wrong the next time too.
fn judge(status: StatusCode) -> Result<StatusCode, HookError> {
    const MAY_PASS: [StatusCode; 4] =
        [StatusCode::REQUEST_TIMEOUT, StatusCode::CONFLICT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
    match status {
        status if status.is_success() => Ok(status),
        status if status.is_server_error() || MAY_PASS.contains(&status) => Err(HookError::Again(answered(status))),
        status if status.is_redirection() => {
            Err(HookError::Never(format!("{}: redirects are not followed", answered(status))))
        }
        status => Err(HookError::Never(answered(status))),
    }
}

fn answered(status: StatusCode) -> String {
    format!("answered {}", status.as_u16())
}

/// Why there is no answer. The error of the client itself shows the URL, which may hold a secret.
fn failed(error: &reqwest::Error, timeout: Duration) -> HookError {
    if error.is_timeout() {
        return HookError::Again(format!("no answer within {} s", timeout.as_secs()));
    }
    let mut cause = error.source();
    let mut last = None;
    while let Some(error) = cause {
        if let Some(Refused(host)) = error.downcast_ref::<Refused>() {
            return HookError::Never(private(host));
        }
        last = Some(error.to_string());
        cause = error.source();
    }
    HookError::Again(format!("not reached: {}", last.unwrap_or_else(|| "the connection broke".to_owned())))
}

/// A name that leads to private addresses alone.
#[derive(Debug, thiserror::Error)]
#[error("{0} leads to a private address")]
struct Refused(String);

/// Looks names up, and leaves out what is private.
struct Checked {
    allow_private: bool,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let known = !found.is_empty();
            let fine: Vec<SocketAddr> =
                found.into_iter().filter(|address| allow_private || !is_private(address.ip())).collect();
            if fine.is_empty() && known {
                return Err(Refused(host).into());
            }
            Ok(Box::new(fine.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_rfc_4231() {
        let want = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(sign("Jefe", b"what do ya want for nothing?"), want);
    }

    #[tokio::test]
    async fn private_targets_are_refused_in_digits_and_by_name() {
        let client = HookClient::new(false).unwrap();
        let request = |url: &str| HookRequest {
            method: "POST".to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            body: Bytes::new(),
            delivery: "d".to_owned(),
            timeout: Duration::from_secs(5),
        };
        let targets =
            ["http://127.0.0.1:1/x", "http://[::1]:1/", "http://2130706433/", "http://localhost:1/", "http://0x7f.1/"];
        for target in targets {
            let refused = client.send(&request(target), "s").await.unwrap_err();
            assert!(matches!(&refused, HookError::Never(why) if why.contains("private")), "{target}: {refused}");
        }
        for target in ["ftp://example.com/", "no url", "file:///etc/passwd"] {
            assert!(matches!(client.send(&request(target), "s").await, Err(HookError::Never(_))), "{target}");
        }
        // Allowed, it is tried; nobody listens there.
        let open = HookClient::new(true).unwrap();
        let tried = open.send(&request("http://127.0.0.1:1/"), "s").await;
        assert!(matches!(tried, Err(HookError::Again(_))), "{tried:?}");
    }

    #[test]
    fn what_may_pass_is_tried_again() {
        for (status, again) in
            [(500, true), (503, true), (429, true), (408, true), (400, false), (404, false), (302, false)]
        {
            let judged = judge(StatusCode::from_u16(status).unwrap()).unwrap_err();
            assert_eq!(matches!(judged, HookError::Again(_)), again, "{status}");
        }
        assert!(judge(StatusCode::NO_CONTENT).is_ok());
    }
}
