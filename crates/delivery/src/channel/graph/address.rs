use reqwest::Url;

/// Where the API is, unless told otherwise.
const API_BASE: &str = "https://graph.facebook.com/v23.0";

/// An address of the API.
pub(in crate::channel) fn address(api_base: &str, path: &[&str]) -> Result<Url, String> {
    let base = if api_base.is_empty() { API_BASE } else { api_base };
    let mut url = Url::parse(base).map_err(|error| format!("api_base: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("api_base: {} is neither http nor https", url.scheme()));
    }
    match url.path_segments_mut() {
        Ok(mut segments) => drop(segments.pop_if_empty().extend(path)),
        Err(()) => return Err("api_base has no path".to_owned()),
    }
    Ok(url)
}
