//! Sealed streams: as ciphertext the input is refused, as plaintext it survives, in
//! pieces of the length that the first byte says.
#![no_main]

use std::io::{ErrorKind, Read, Write};

use keystead_crypto::{ChannelReader, ChannelWriter, Cipher, SecretKey};
use libfuzzer_sys::fuzz_target;

fn open(stream: &[u8]) -> std::io::Result<Vec<u8>> {
    let key = SecretKey::from_bytes([1; 32]);
    let mut reader = ChannelReader::new(stream, Cipher::Aes256, key, [2; 8], b"context")
        .expect("a short context");
    let mut plaintext = Vec::new();
    reader.read_to_end(&mut plaintext).map(|_| plaintext)
}

fuzz_target!(|input: &[u8]| {
    let refused = open(input).expect_err("nobody guesses a tag");
    assert_eq!(refused.kind(), ErrorKind::InvalidData);

    let step = usize::from(input.first().copied().unwrap_or_default()) * 100 + 1;
    let key = SecretKey::from_bytes([1; 32]);
    let mut writer = ChannelWriter::new(Vec::new(), Cipher::Aes256, key, [2; 8], b"context")
        .expect("a short context");
    for piece in input.chunks(step) {
        writer.write_all(piece).expect("memory");
    }
    let mut stream = writer.finish().expect("memory");
    assert_eq!(open(&stream).expect("opens"), input);
    stream.pop();
    assert!(open(&stream).is_err());
});
