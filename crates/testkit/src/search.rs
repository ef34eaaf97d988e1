//! Looking for what must not be there.

use std::path::Path;

/// The forms in which a text or a key could lie in a file.
fn forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![bytes.to_vec()];
    forms.push(bytes.iter().flat_map(|byte| [*byte, 0]).collect());
    forms.push(bytes.iter().flat_map(|byte| [0, *byte]).collect());
    forms.push(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes());
    // Base64 of what it stands in: whatever comes before shifts it by 0, 1 or 2 bytes.
    for shift in 0..3 {
        let whole = bytes.get(shift..).unwrap_or_default();
        for letters in [
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
        ] {
            let digits = whole.chunks_exact(3).flat_map(|three| {
                let all = u32::from_be_bytes([0, three[0], three[1], three[2]]);
                [18, 12, 6, 0].map(|by| letters[((all >> by) & 63) as usize])
            });
            forms.push(digits.collect());
        }
    }
    forms
}

/// The files below a directory that hold a text or a key: as it is, in UTF-16, in hex digits or in base64.
///
/// # Panics
/// If a file can't be read.
pub fn holders(directory: &Path, bytes: &[u8]) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), vec![directory.to_owned()]);
    let forms = forms(bytes);
    while let Some(directory) = open.pop() {
        for entry in readable(std::fs::read_dir(directory)) {
            let path = readable(entry).path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let held = match std::fs::read(&path) {
                // A server that runs may have replaced it.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                read => readable(read),
            };
            let holds = |form: &Vec<u8>| held.windows(form.len()).any(|window| window == form.as_slice());
            if forms.iter().any(holds) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

fn readable<T>(read: std::io::Result<T>) -> T {
    read.unwrap_or_else(|error| panic!("a file can't be searched: {error}"))
}

#[cfg(test)]
mod tests {
    use super::holders;

    #[test]
    fn every_form_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let write = |bytes: &[u8]| std::fs::write(dir.path().join("file"), bytes).unwrap();
        let found = || holders(dir.path(), b"where is my order?").len();
        write(b"nothing here");
        assert_eq!(found(), 0);
        write(b"she said: where is my order? and left");
        assert_eq!(found(), 1);
        let utf_16: Vec<u8> = "ab where is my order?".encode_utf16().flat_map(u16::to_le_bytes).collect();
        write(&utf_16);
        assert_eq!(found(), 1);
        // Base64 of "x: where is my order?!", "xy: …" and "xyz: …".
        for base64 in
            ["eDogd2hlcmUgaXMgbXkgb3JkZXI/IQ==", "eHk6IHdoZXJlIGlzIG15IG9yZGVyPyE=", "eHl6OiB3aGVyZSBpcyBteSBvcmRlcj8h"]
        {
            write(base64.as_bytes());
            assert_eq!(found(), 1, "{base64}");
        }
    }
}
