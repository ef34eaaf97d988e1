//! The parts of a form, as far as uploads need them.

use bytes::Bytes;

/// One part.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) mime_type: String,
    pub(crate) bytes: Bytes,
}

/// Reads a body of `multipart/form-data`; `None` if it is none.
pub(crate) fn parts(content_type: &str, body: &Bytes) -> Option<Vec<Part>> {
    let boundary = content_type.strip_prefix("multipart/form-data")?.split_once("boundary=")?.1;
    let delimiter = format!("\r\n--{}", boundary.split(';').next()?.trim().trim_matches('"'));
    // The first delimiter stands at the beginning, without an end of line before it.
    let first = delimiter.get(2..)?;
    let mut at = find(body, first.as_bytes(), 0)? + first.len();
    let mut parts = Vec::new();
    while body.get(at..at + 2)? == b"\r\n" {
        let head_end = find(body, b"\r\n\r\n", at)?;
        let end = find(body, delimiter.as_bytes(), head_end)?;
        let head = std::str::from_utf8(body.get(at..head_end)?).ok()?;
        parts.push(part(head, body.slice(head_end + 4..end))?);
        at = end + delimiter.len();
    }
    (body.get(at..at + 2)? == b"--").then_some(parts)
}

fn part(head: &str, bytes: Bytes) -> Option<Part> {
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    let name = header("content-disposition")?.split("name=\"").nth(1)?.split('"').next()?.to_owned();
    Some(Part { name, mime_type: header("content-type").unwrap_or_default().to_owned(), bytes })
}

fn find(bytes: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    bytes.get(from..)?.windows(wanted.len()).position(|window| window == wanted).map(|at| at + from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_its_parts_and_anything_else_has_none() {
        let body = "--xx\r\nContent-Disposition: form-data; name=\"type\"\r\n\r\nimage/png\r\n--xx\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\
            \r\n--x\u{0}\r\n--xx--\r\n";
        let body = Bytes::from(body);
        let found = parts("multipart/form-data; boundary=xx", &body).unwrap();
        let names: Vec<_> = found.iter().map(|part| part.name.as_str()).collect();
        assert_eq!((names, found[1].mime_type.as_str()), (vec!["type", "file"], "image/png"));
        assert_eq!((found[0].bytes.as_ref(), found[1].bytes.as_ref()), (&b"image/png"[..], &b"\r\n--x\0"[..]));
        for cut in 0..body.len() - 4 {
            assert_eq!(parts("multipart/form-data; boundary=xx", &body.slice(..cut)), None, "{cut}");
        }
        assert_eq!(parts("application/json", &body), None);
    }
}
