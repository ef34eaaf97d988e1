//! Whether a file is what it is said to be.

use sha2::{Digest, Sha256};

use crate::channel::Fetched;

/// Why a file is not kept, in words for a human.
pub(super) fn check(message_type: &str, announced: &str, fetched: &Fetched, most: usize) -> Result<(), String> {
    let Fetched { mime_type, sha256, size, bytes } = fetched;
    if bytes.len() > most {
        return Err(format!("it has {} bytes: at most {most} are kept", bytes.len()));
    }
    if size.is_some_and(|size| size != bytes.len() as u64) {
        return Err(format!(
            "it has {} bytes, not the {} that the channel says",
            bytes.len(),
            size.unwrap_or_default()
        ));
    }
    if sha256.is_some_and(|sha256| Sha256::digest(bytes).as_slice() != sha256) {
        return Err("its bytes are not those that the channel says: their SHA-256 differs".to_owned());
    }
    let (announced, is) = (essence(announced), essence(mime_type));
    if !announced.is_empty() && !is.is_empty() && announced != is {
        return Err(format!("it is {is}, but was announced as {announced}"));
    }
    let is = if is.is_empty() { announced } else { is };
    if fits(message_type, &is) { Ok(()) } else { Err(format!("{is:?} is no type of a file that is a {message_type}")) }
}

/// A type without its parameters.
fn essence(mime_type: &str) -> String {
    mime_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn fits(message_type: &str, mime_type: &str) -> bool {
    let of = |kind: &str| mime_type.strip_prefix(kind).is_some_and(|rest| rest.starts_with('/'));
    match message_type {
        "image" | "sticker" => of("image"),
        // Voice messages of some phones come in a container for video.
        "audio" | "voice" => of("audio") || mime_type == "video/mp4",
        "video" => of("video"),
        _ => !mime_type.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_to_be_what_it_is_said_to_be() {
        let bytes = b"abc".to_vec();
        let right = Fetched {
            mime_type: "audio/ogg; codecs=opus".to_owned(),
            sha256: Some(Sha256::digest(&bytes).into()),
            size: Some(3),
            bytes,
        };
        let checked = |kind: &str, announced: &str, fetched: &Fetched| check(kind, announced, fetched, 3);
        assert_eq!(checked("audio", "audio/ogg", &right), Ok(()));
        assert_eq!(checked("document", "", &right), Ok(()));
        let wrong = [
            ("image", "audio/ogg", right.clone(), "no type"),
            ("audio", "audio/mpeg", right.clone(), "announced"),
            ("audio", "audio/ogg", Fetched { size: Some(4), ..right.clone() }, "bytes"),
            ("audio", "audio/ogg", Fetched { sha256: Some([0; 32]), ..right.clone() }, "SHA-256"),
            ("audio", "audio/ogg", Fetched { bytes: vec![0; 4], ..right.clone() }, "at most 3"),
            ("document", "", Fetched { mime_type: String::new(), ..right.clone() }, "no type"),
        ];
        for (kind, announced, fetched, why) in wrong {
            let said = checked(kind, announced, &fetched).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }
}
