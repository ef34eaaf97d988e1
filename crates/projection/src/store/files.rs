//! The few file operations that the stores share.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};
use std::{process, thread};

use super::Error;

/// How long a lock is waited for. A process that whoever held it had just begun to start has a copy of it until it is
/// another program, which takes milliseconds.
const LET_GO: Duration = Duration::from_millis(500);
/// How often it is tried meanwhile.
const TRY: Duration = Duration::from_millis(10);

/// The lock that keeps a second process out. The operating system gives it up when the process dies, however it dies.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a directory, or says who has it.
    pub(super) fn take(dir: &Path) -> Result<Self, Error> {
        let path = dir.join("LOCK");
        let io = |source| Error::io(&path, source);
        let mut file = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        let deadline = Instant::now() + LET_GO;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(TRY),
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::Locked { dir: dir.to_owned(), holder: holder(&mut file) });
                }
                Err(TryLockError::Error(source)) => return Err(io(source)),
            }
        }
        // The process id is for the words of the refusal above, nothing else.
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", process::id())).map_err(io)?;
        Ok(Self { _file: file })
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.read_to_string(&mut text).map(|_| text.parse::<u32>()) {
        Ok(Ok(id)) => format!("process {id}"),
        _ => "another process".to_owned(),
    }
}

/// Replaces a file at once: whoever reads it, and whatever dies, finds the old content or the new one.
pub(super) fn replace(dir: &Path, name: &str, content: &str) -> Result<(), Error> {
    let path = dir.join(name);
    let fresh = dir.join(format!("{name}.new"));
    File::create(&fresh)
        .and_then(|mut file| {
            file.write_all(content.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&fresh, &path))
        .and_then(|()| sync_directory(dir))
        .map_err(|source| Error::io(&path, source))
}

/// Makes a rename last.
#[cfg(unix)]
fn sync_directory(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_dir: &Path) -> io::Result<()> {
    Ok(())
}

/// The content of a file, or `None` if there is none or it is no text.
pub(super) fn read_if_there(path: &Path) -> Result<Option<String>, Error> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData) => Ok(None),
        Err(source) => Err(Error::io(path, source)),
    }
}

/// Bytes that the files under a directory occupy. Files that vanish meanwhile count nothing.
pub(super) fn disk_bytes(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else {
        return 0;
    };
    entries
        .flatten()
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)))
        .map(|(path, metadata)| if metadata.is_dir() { disk_bytes(&path) } else { occupied(&metadata) })
        .sum()
}

/// Blocks rather than length: fjall makes its journals 64 MiB long before it fills them.
#[cfg(unix)]
fn occupied(metadata: &fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    metadata.blocks() * 512
}

#[cfg(not(unix))]
fn occupied(metadata: &fs::Metadata) -> u64 {
    metadata.len()
}
