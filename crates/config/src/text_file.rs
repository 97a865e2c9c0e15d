//! Reading small text files.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use zeroize::Zeroizing;

/// The largest file that is read, in bytes. A policy line is shorter than 100.
pub(crate) const MAX_BYTES: u64 = 1 << 20;

/// Reads a file that may hold secrets.
///
/// # Errors
///
/// Those of the file system; `InvalidData` if it is too large or no UTF-8.
pub(crate) fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::new());
    // One byte more than allowed tells a full file from one that is too large.
    File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)?;
    decode(&bytes).map(|text| Zeroizing::new(text.to_owned()))
}

/// The text in the bytes of a file.
pub(crate) fn decode(bytes: &[u8]) -> io::Result<&str> {
    let invalid = |reason| io::Error::new(io::ErrorKind::InvalidData, reason);
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_BYTES) {
        return Err(invalid("the file is larger than 1 MiB"));
    }
    std::str::from_utf8(bytes).map_err(|_| invalid("the file is not UTF-8 text"))
}

/// What the system said, without its number: `no such file or directory`.
pub(crate) fn cause(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}
