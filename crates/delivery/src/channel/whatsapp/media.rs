//! Files at the Cloud API: an id leads to an address, the address to the bytes; both want the token.

use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, Url};
use serde_json::Value;

use super::{WhatsApp, codes};
use crate::channel::graph::{Reply, address, lost, refused, retry_after, unfit};
use crate::channel::{Advice, Failure, Fetched, Upload};

/// Hosts whose files are fetched, besides that of the API: the token goes to nobody else.
const HOSTS: [&str; 4] = ["fbsbx.com", "fbcdn.net", "facebook.com", "whatsapp.net"];

impl WhatsApp {
    pub(super) async fn fetch_file(&self, id: &str, most: usize) -> Result<Fetched, Failure> {
        let url = self.url(&[id])?;
        let said = self.caller.answered(self.caller.request(Method::GET, url)).await?;
        let said: Value = serde_json::from_slice(&self.success(&said)?.body)
            .map_err(|error| lost("what the channel says of the file can't be read", error.to_string()))?;
        let size = size(&said["file_size"]);
        if size.is_some_and(|size| size > most as u64) {
            let size = size.unwrap_or_default();
            return Err(unfit("the file is too large", format!("It has {size} bytes: at most {most} are fetched.")));
        }
        let bytes = self.bytes(said["url"].as_str().unwrap_or_default(), most).await?;
        let mime_type = said["mime_type"].as_str().unwrap_or_default().to_owned();
        Ok(Fetched { mime_type, sha256: said["sha256"].as_str().and_then(digest), size, bytes })
    }

    async fn bytes(&self, url: &str, most: usize) -> Result<Vec<u8>, Failure> {
        let url = Url::parse(url).ok().filter(|url| self.is_ours(url));
        let url =
            url.ok_or_else(|| unfit("the file lies elsewhere", "Its address is none of the channel.".to_owned()))?;
        let response = self.caller.request(Method::GET, url).send().await.map_err(|error| self.caller.broken(error))?;
        let status = response.status().as_u16();
        if status != 200 {
            let retry_after = retry_after(&response);
            let details = format!("HTTP {status}. An address is good for 5 minutes: the next try asks for a new one.");
            let title = "the file was not given".to_owned();
            return Err(Failure { advice: Advice::Retry, code: 0, title, details, retry_after });
        }
        self.caller.read(response, most).await
    }

    /// Whether the token may go there: the API itself, or a host of Meta's over TLS.
    fn is_ours(&self, url: &Url) -> bool {
        let same = (url.scheme(), url.host_str(), url.port_or_known_default())
            == (self.messages.scheme(), self.messages.host_str(), self.messages.port_or_known_default());
        let host = url.host_str().unwrap_or_default();
        let metas = HOSTS
            .iter()
            .any(|known| host.strip_suffix(known).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')));
        same || (url.scheme() == "https" && metas)
    }

    pub(super) async fn upload_file(&self, file: &Upload) -> Result<String, Failure> {
        let (boundary, body) = form(file)?;
        let url = self.url(&[&self.phone_number_id, "media"])?;
        let request = self.caller.request(Method::POST, url).body(body);
        let request = request.header(CONTENT_TYPE, format!("multipart/form-data; boundary={boundary}"));
        let reply = self.caller.answered(request).await?;
        let said: Value = serde_json::from_slice(&self.success(&reply)?.body).unwrap_or_default();
        let id = said["id"].as_str().filter(|id| !id.is_empty());
        id.map(str::to_owned).ok_or_else(|| lost("the answer can't be read", "there is no id of the file".to_owned()))
    }

    fn success<'a>(&self, reply: &'a Reply) -> Result<&'a Reply, Failure> {
        if (200..300).contains(&reply.status) { Ok(reply) } else { Err(refused(&self.caller, reply, codes::meaning)) }
    }

    fn url(&self, path: &[&str]) -> Result<Url, Failure> {
        address(&self.api_base, path).map_err(|why| unfit("there is no such address", why))
    }
}

/// A number, or one in quotes.
fn size(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// SHA-256 in hex digits.
fn digest(hex: &str) -> Option<[u8; 32]> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    let mut digest = [0; 32];
    for (at, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(digest)
}

/// A form with the file in it, and what parts it.
fn form(file: &Upload) -> Result<(String, Vec<u8>), Failure> {
    let plain = |text: &str| !text.chars().any(|c| c.is_control());
    if !plain(&file.mime_type) || !plain(&file.file_name) {
        return Err(unfit("the file can't be uploaded", "Its type or name has control characters.".to_owned()));
    }
    let boundary = format!("threadmark-{}", nuid::next());
    let name = if file.file_name.is_empty() { "file" } else { &file.file_name };
    let name = name.replace(['"', '\\'], "_");
    let mut body = Vec::with_capacity(file.bytes.len() + 1024);
    for (field, value) in [("messaging_product", "whatsapp"), ("type", &file.mime_type)] {
        body.extend_from_slice(part(&boundary, field).as_bytes());
        body.extend_from_slice(format!("\r\n\r\n{value}\r\n").as_bytes());
    }
    body.extend_from_slice(part(&boundary, "file").as_bytes());
    let head = format!("; filename=\"{name}\"\r\nContent-Type: {}\r\n\r\n", file.mime_type);
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(&file.bytes);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    Ok((boundary, body))
}

fn part(boundary: &str, field: &str) -> String {
    format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"")
}
