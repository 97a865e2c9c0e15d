//! Sealed streams: lengths around a frame, and every way to damage one.

use std::io::{self, ErrorKind, Read, Write};

use proptest::collection::vec;
use proptest::prelude::*;

use crate::{ChannelReader, ChannelWriter, Cipher, SecretKey};

const FRAME: usize = 16_384;
const SEALED: usize = FRAME + 16;

fn key() -> SecretKey {
    SecretKey::from_bytes([3; 32])
}

fn seal(plaintext: &[u8], context: &[u8]) -> Vec<u8> {
    let mut writer =
        ChannelWriter::new(Vec::new(), Cipher::Aes256, key(), [9; 8], context).unwrap();
    writer.write_all(plaintext).unwrap();
    writer.flush().unwrap();
    writer.finish().unwrap()
}

fn open(stream: &[u8], context: &[u8]) -> io::Result<Vec<u8>> {
    let mut reader = ChannelReader::new(stream, Cipher::Aes256, key(), [9; 8], context).unwrap();
    let mut plaintext = Vec::new();
    reader.read_to_end(&mut plaintext).map(|_| plaintext)
}

fn is_refused(stream: &[u8]) -> bool {
    open(stream, b"ad").is_err_and(|error| error.kind() == ErrorKind::InvalidData)
}

#[test]
fn every_length_around_a_frame_survives() {
    for (length, frames) in [
        (0, 1),
        (1, 1),
        (FRAME - 1, 1),
        (FRAME, 1),
        (FRAME + 1, 2),
        (2 * FRAME, 2),
        (2 * FRAME + 1, 3),
    ] {
        let plaintext: Vec<u8> = (0..=255).cycle().take(length).collect();
        let stream = seal(&plaintext, b"ad");
        assert_eq!(stream.len(), length + 16 * frames);
        assert_eq!(open(&stream, b"ad").unwrap(), plaintext);
        assert!(open(&stream, b"da").is_err());
    }
}

#[test]
fn a_damaged_stream_does_not_open() {
    let stream = seal(b"some text", b"ad");
    for at in 0..stream.len() {
        for bit in 0..8 {
            let mut damaged = stream.clone();
            damaged[at] ^= 1 << bit;
            assert!(is_refused(&damaged));
        }
        assert!(is_refused(&stream[..at]), "cut at {at}");
    }
    assert!(is_refused(&[&stream[..], b"\0"].concat()));
    assert!(is_refused(b""));
}

#[test]
fn frames_cannot_be_cut_exchanged_or_repeated() {
    let stream = seal(&[1; 3 * FRAME], b"ad");
    let frames: Vec<_> = stream.chunks(SEALED).collect();
    let [one, two, three] = frames[..] else {
        panic!("{} frames", frames.len());
    };
    assert!(open(&stream, b"ad").is_ok());
    for wrong in [
        &[one][..],
        &[one, two],
        &[two, three],
        &[two, one, three],
        &[one, one, two, three],
        &[one, two, three, three],
        &[three],
    ] {
        assert!(is_refused(&wrong.concat()), "{} frames", wrong.len());
    }
    for length in [SEALED - 1, SEALED + 1, SEALED + 15, 2 * SEALED + 16] {
        assert!(is_refused(&stream[..length]), "cut at {length}");
    }
}

#[test]
fn after_an_error_nothing_comes_out() {
    let mut stream = seal(&[1; 2 * FRAME], b"ad");
    *stream.last_mut().unwrap() ^= 1;
    let mut reader = ChannelReader::new(&stream[..], Cipher::Aes256, key(), [9; 8], b"ad").unwrap();
    let mut first = vec![0; FRAME];
    reader.read_exact(&mut first).unwrap();
    for _ in 0..3 {
        let error = reader.read(&mut [0; 10]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }
    assert_eq!(reader.read(&mut []).unwrap(), 0);
}

#[test]
fn a_stream_without_its_end_does_not_open() {
    let mut written = Vec::new();
    let mut writer =
        ChannelWriter::new(&mut written, Cipher::Aes256, key(), [9; 8], b"ad").unwrap();
    writer.write_all(&[1; 2 * FRAME]).unwrap();
    drop(writer);
    assert_eq!(written.len(), SEALED);
    assert!(is_refused(&written));
}

/// Gives a few bytes at a time and is interrupted in between.
struct Slow<'a> {
    rest: &'a [u8],
    interrupted: bool,
}

impl Read for Slow<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(ErrorKind::Interrupted.into());
        }
        let given = out.len().min(1000);
        self.rest.read(&mut out[..given])
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn pieces_of_any_size_make_one_stream(pieces in vec(0..20_000_usize, 0..6), step in 1..30_000_usize) {
        let plaintext: Vec<u8> = (0..=255).cycle().take(pieces.iter().sum()).collect();
        let mut writer = ChannelWriter::new(Vec::new(), Cipher::ChaCha20, key(), [9; 8], b"").unwrap();
        let mut rest = &plaintext[..];
        for piece in pieces {
            let (now, later) = rest.split_at(piece);
            writer.write_all(now).unwrap();
            rest = later;
        }
        let stream = writer.finish().unwrap();
        let slow = Slow { rest: &stream, interrupted: false };
        let mut reader = ChannelReader::new(slow, Cipher::ChaCha20, key(), [9; 8], b"").unwrap();
        let mut read = Vec::new();
        let mut buffer = vec![0; step];
        loop {
            match reader.read(&mut buffer).unwrap() {
                0 => break,
                given => read.extend_from_slice(&buffer[..given]),
            }
        }
        prop_assert_eq!(read, plaintext);
    }

    #[test]
    fn any_bytes_are_refused(stream in vec(any::<u8>(), 0..100)) {
        prop_assert!(is_refused(&stream));
    }
}
