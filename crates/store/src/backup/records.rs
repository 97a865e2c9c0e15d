//! The content of a backup: a state as frames of messages.

use std::io::{self, Read, Write};

use keystead_wire_kms::message::{
    BackupIdentity, BackupKeyRing, BackupKeyVersion, BackupPolicy, BackupRoot,
};
use prost::Message;
use zeroize::Zeroizing;

use super::Error;
use crate::{Enclave, State};
use builder::Builder;

mod builder;

const ENCLAVE: u16 = 1;
const POLICY: u16 = 2;
const IDENTITY: u16 = 3;
const KEY_VERSION: u16 = 4;
const KEY_RING: u16 = 5;
const ROOT: u16 = 6;

/// Code and length of a frame, in bytes.
const HEADER: usize = 6;

/// The longest message that is read, in bytes: twice what a request may hold.
const MAX_MESSAGE: u32 = 32 << 20;

/// The code and the message of a frame.
type Frame = (u16, Zeroizing<Vec<u8>>);

/// Counts what is written.
#[derive(Default)]
struct Counter(usize);

pub(super) fn write_records(state: &State, out: &mut impl Write) -> io::Result<()> {
    let root = BackupRoot {
        identity: state
            .root()
            .map(|root| root.to_string())
            .unwrap_or_default(),
    };
    write_frame(out, ROOT, &root)?;
    state
        .enclaves()
        .try_for_each(|enclave| write_enclave(enclave, out))
}

/// The records in one piece.
pub(crate) fn encode_records(state: &State) -> Zeroizing<Vec<u8>> {
    let mut counter = Counter::default();
    let mut records = Zeroizing::default();
    // Neither of the two writers fails. The first pass gives the size, because a vector
    // that grows leaves copies of secrets behind.
    if write_records(state, &mut counter).is_ok() {
        records = Zeroizing::new(Vec::with_capacity(counter.0));
        let written = write_records(state, &mut *records);
        debug_assert!(written.is_ok());
    }
    records
}

/// The inverse of [`encode_records`].
pub(crate) fn decode_records(records: &[u8]) -> Result<State, crate::Error> {
    match read_records(records) {
        Ok(state) => Ok(state),
        Err(Error::Content(error)) => Err(error),
        Err(_) => Err(crate::Error::malformed("records of a backup")),
    }
}

pub(super) fn read_records(mut from: impl Read) -> Result<State, Error> {
    let mut builder = Builder::default();
    while let Some((code, message)) = read_frame(&mut from)? {
        builder.add(code, &message).map_err(Error::Content)?;
    }
    builder.finish().map_err(Error::Content)
}

fn write_enclave(enclave: &Enclave, out: &mut impl Write) -> io::Result<()> {
    let name = || enclave.name().to_owned();
    write_frame(out, ENCLAVE, &enclave.status())?;
    for (policy, entry) in enclave.policies.iter() {
        let message = BackupPolicy {
            enclave: name(),
            policy: Some(entry.to_message(policy)),
        };
        write_frame(out, POLICY, &message)?;
    }
    for (identity, entry) in enclave.identities.iter() {
        let message = BackupIdentity {
            enclave: name(),
            identity: Some(enclave.describe(identity.as_str(), entry)),
        };
        write_frame(out, IDENTITY, &message)?;
    }
    for (key, entry) in enclave.keys.iter() {
        let ring = BackupKeyRing {
            enclave: name(),
            name: key.as_ref().to_owned(),
            highest_version: entry.ring().highest(),
        };
        write_frame(out, KEY_RING, &ring)?;
        for (version, created) in entry.versions() {
            let message = BackupKeyVersion {
                enclave: name(),
                status: Some(crate::model::key_status(key, version, created)),
                key: version.key.expose().to_vec(),
                imported: version.imported,
            };
            write_frame(out, KEY_VERSION, &message)?;
        }
    }
    Ok(())
}

/// The shape of frames is that of requests.
fn write_frame(out: &mut impl Write, code: u16, message: &impl Message) -> io::Result<()> {
    let payload = Zeroizing::new(message.encode_to_vec());
    let length = u32::try_from(payload.len()).map_err(io::Error::other)?;
    out.write_all(&code.to_be_bytes())?;
    out.write_all(&length.to_be_bytes())?;
    out.write_all(&payload)
}

/// None at the end.
fn read_frame(from: &mut impl Read) -> Result<Option<Frame>, Error> {
    let mut header = Vec::with_capacity(HEADER);
    let limit = u64::try_from(HEADER).unwrap_or(u64::MAX);
    from.by_ref().take(limit).read_to_end(&mut header)?;
    let &[c0, c1, n0, n1, n2, n3] = header.as_slice() else {
        return match header.is_empty() {
            true => Ok(None),
            false => Err(Error::Damaged),
        };
    };
    let length = u32::from_be_bytes([n0, n1, n2, n3]);
    let too_long = || Error::Content(crate::Error::malformed("length of a record"));
    if length > MAX_MESSAGE {
        return Err(too_long());
    }
    let length = usize::try_from(length).map_err(|_| too_long())?;
    let mut payload = Zeroizing::new(vec![0; length]);
    from.read_exact(&mut payload)?;
    Ok(Some((u16::from_be_bytes([c0, c1]), payload)))
}

// === impl Counter ===

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
