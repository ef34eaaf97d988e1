//! What every request and every answer has to pass.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::failure::Failure;
use crate::lang::{Lang, word};

/// Nothing from elsewhere, nothing inline, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; \
     manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Refuses what another site made the browser send, and puts the headers on every answer that keep a page to itself.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    let lang = Lang::asked(request.headers());
    let mut response = match is_ours(request.method(), request.headers()) {
        true => next.run(request).await,
        false => Failure::Forbidden(word("This was sent by another site, so it was not done.")).into_response(),
    };
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        response = failure.draw(lang);
    }
    let headers = response.headers_mut();
    let mut put = |name: header::HeaderName, value| headers.insert(name, HeaderValue::from_static(value));
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(header::REFERRER_POLICY, "same-origin");
    put(header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    put(header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    // A file has one of its own, which is stricter.
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Whether a request that does something comes from a page of ours. Browsers say so in `Sec-Fetch-Site`, older ones in
/// `Origin`; what says neither is not done.
fn is_ours(method: &Method, headers: &HeaderMap) -> bool {
    if method == Method::GET || method == Method::HEAD {
        return true;
    }
    let of = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = of(header::HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    let (Some(origin), Some(host)) = (of(header::ORIGIN), of(header::HOST)) else { return false };
    origin.split_once("://").is_some_and(|(_, origin)| origin == host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_ours_can_do_something() {
        let cases: [(&[(&str, &str)], bool); 7] = [
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "cross-site"), ("origin", "http://here"), ("host", "here")], false),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("origin", "http://here:1"), ("host", "here:1")], true),
            (&[("origin", "http://there"), ("host", "here")], false),
            (&[("host", "here")], false),
        ];
        for (given, ours) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in given {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            assert_eq!(is_ours(&Method::POST, &headers), ours, "{given:?}");
            assert!(is_ours(&Method::GET, &headers));
        }
    }
}
