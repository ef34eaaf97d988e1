//! One HTTP request to another system: checked, and over in time.

use std::error::Error as _;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use hmac::{Hmac, Mac};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode, Url, redirect};
use sha2::Sha256;

use super::address::is_private;

const CONNECT: Duration = Duration::from_secs(5);

/// Why a try did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// Trying again may help.
    #[error("{0}")]
    Again(String),
    /// It never will.
    #[error("{0}")]
    Never(String),
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboundRequest {
    /// "POST".
    pub method: String,
    /// http or https.
    pub url: String,
    /// The last of a name counts.
    pub headers: Vec<(String, String)>,
    /// JSON.
    pub body: Bytes,
    /// How long it may take, from the first byte to the answer's head.
    pub timeout: Duration,
}

/// Sends requests. Cheap to clone.
#[derive(Clone)]
pub struct OutboundClient {
    http: reqwest::Client,
    allow_private: bool,
    setting: &'static str,
}

/// There is no TLS to be had on this machine.
#[derive(Debug, thiserror::Error)]
#[error("no TLS can be had: {0}")]
pub struct NoTls(#[from] reqwest::Error);

impl OutboundClient {
    /// `allow_private`: whether addresses that are not public may be reached; `setting`: what allows it, for people.
    ///
    /// # Errors
    /// When no TLS can be had.
    pub fn new(allow_private: bool, setting: &'static str) -> Result<OutboundClient, NoTls> {
        let http = reqwest::Client::builder()
            // What was checked is what is connected to: no proxy, no redirect, one look-up.
            .no_proxy()
            .redirect(redirect::Policy::none())
            .dns_resolver(std::sync::Arc::new(Checked { allow_private }))
            .connect_timeout(CONNECT)
            .user_agent("threadmark")
            .build()?;
        Ok(OutboundClient { http, allow_private, setting })
    }

    /// Tries once; the answer's status where it is a success.
    ///
    /// # Errors
    /// [`OutboundError`], which says whether trying again may help. Its text holds nothing of the URL but the host.
    pub async fn send(&self, request: &OutboundRequest) -> Result<StatusCode, OutboundError> {
        let answer = self.answer(request).await?;
        judge(answer.status())
    }

    /// The same, with how long the target asks to be left alone (`Retry-After`; a date is not read).
    pub async fn send_and_ask(
        &self,
        request: &OutboundRequest,
    ) -> (Result<StatusCode, OutboundError>, Option<Duration>) {
        match self.answer(request).await {
            Ok(answer) => (judge(answer.status()), retry_after(answer.headers())),
            Err(error) => (Err(error), None),
        }
    }

    async fn answer(&self, request: &OutboundRequest) -> Result<Response, OutboundError> {
        let url = self.check(&request.url)?;
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| OutboundError::Never(format!("{:?} is no HTTP method", request.method)))?;
        let headers = headers(request)?;
        let sent = self.http.request(method, url).headers(headers).timeout(request.timeout);
        let sent = sent.body(request.body.clone()).send().await;
        sent.map_err(|error| self.failed(&error, request.timeout))
    }

    /// The target of a request: http or https, with a host that is not a private address in digits.
    ///
    /// # Errors
    /// [`OutboundError::Never`].
    pub fn check(&self, url: &str) -> Result<Url, OutboundError> {
        let url = Url::parse(url).map_err(|error| OutboundError::Never(format!("the target is no URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(OutboundError::Never(format!("{}: only http and https are spoken", url.scheme())));
        }
        let host = url.host_str().unwrap_or_default();
        let digits = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match digits {
            Ok(address) if is_private(address) && !self.allow_private => Err(OutboundError::Never(self.private(host))),
            _ => Ok(url),
        }
    }

    /// Why there is no answer. The error of the client itself shows the URL, which may hold a secret.
    fn failed(&self, error: &reqwest::Error, timeout: Duration) -> OutboundError {
        if error.is_timeout() {
            return OutboundError::Again(format!("no answer within {} s", timeout.as_secs()));
        }
        let mut cause = error.source();
        let mut last = None;
        while let Some(error) = cause {
            if let Some(Refused(host)) = error.downcast_ref::<Refused>() {
                return OutboundError::Never(self.private(host));
            }
            last = Some(error.to_string());
            cause = error.source();
        }
        OutboundError::Again(format!("not reached: {}", last.unwrap_or_else(|| "the connection broke".to_owned())))
    }

    fn private(&self, host: &str) -> String {
        format!("{host} is a private address, which is refused unless {} is true", self.setting)
    }
}

fn headers(request: &OutboundRequest) -> Result<HeaderMap, OutboundError> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in &request.headers {
        let header = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(value).ok());
        let (name, value) = header.ok_or_else(|| OutboundError::Never(format!("header {name:?} can't be sent")))?;
        headers.insert(name, value);
    }
    Ok(headers)
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// HMAC-SHA256 of what is sent, for signatures.
pub fn hmac_sha256(secret: &[u8], signed: &[u8]) -> [u8; 32] {
    let mut mac = match Hmac::<Sha256>::new_from_slice(secret) {
        Ok(mac) => mac,
        Err(_) => unreachable!("HMAC takes keys of any length"),
    };
    mac.update(signed);
    mac.finalize().into_bytes().into()
}

/// What an answer means. A request that the target calls wrong is wrong the next time too.
fn judge(status: StatusCode) -> Result<StatusCode, OutboundError> {
    const MAY_PASS: [StatusCode; 4] =
        [StatusCode::REQUEST_TIMEOUT, StatusCode::CONFLICT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
    match status {
        status if status.is_success() => Ok(status),
        status if status.is_server_error() || MAY_PASS.contains(&status) => Err(OutboundError::Again(answered(status))),
        status if status.is_redirection() => {
            Err(OutboundError::Never(format!("{}: redirects are not followed", answered(status))))
        }
        status => Err(OutboundError::Never(answered(status))),
    }
}

fn answered(status: StatusCode) -> String {
    format!("answered {}", status.as_u16())
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
    fn the_hmac_is_that_of_rfc_4231() {
        let want = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let mac = hmac_sha256(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(mac.map(|byte| format!("{byte:02x}")).concat(), want);
    }

    #[tokio::test]
    async fn private_targets_are_refused_in_digits_and_by_name() {
        let client = OutboundClient::new(false, "x.allow").unwrap();
        let request = |url: &str| OutboundRequest {
            method: "POST".to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            body: Bytes::new(),
            timeout: Duration::from_secs(5),
        };
        let targets =
            ["http://127.0.0.1:1/x", "http://[::1]:1/", "http://2130706433/", "http://localhost:1/", "http://0x7f.1/"];
        for target in targets {
            let refused = client.send(&request(target)).await.unwrap_err();
            assert!(matches!(&refused, OutboundError::Never(why) if why.contains("private")), "{target}: {refused}");
        }
        for target in ["ftp://example.com/", "no url", "file:///etc/passwd"] {
            assert!(matches!(client.send(&request(target)).await, Err(OutboundError::Never(_))), "{target}");
        }
        // Allowed, it is tried; nobody listens there.
        let open = OutboundClient::new(true, "x.allow").unwrap();
        let tried = open.send(&request("http://127.0.0.1:1/")).await;
        assert!(matches!(tried, Err(OutboundError::Again(_))), "{tried:?}");
    }

    #[test]
    fn what_may_pass_is_tried_again() {
        for (status, again) in
            [(500, true), (503, true), (429, true), (408, true), (400, false), (404, false), (302, false)]
        {
            let judged = judge(StatusCode::from_u16(status).unwrap()).unwrap_err();
            assert_eq!(matches!(judged, OutboundError::Again(_)), again, "{status}");
        }
        assert!(judge(StatusCode::NO_CONTENT).is_ok());
    }
}
