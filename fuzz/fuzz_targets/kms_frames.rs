//! Bodies of MinIO KMS: whatever splits into frames is those frames and nothing else.
#![no_main]

use keystead_wire_kms::message::{DecryptResponse, IdentityResponse};
use keystead_wire_kms::{Command, MAX_FRAMES, Request, decode_answers, split_frames};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    if let Ok(frames) = split_frames(body) {
        assert!((1..=MAX_FRAMES).contains(&frames.len()));
        let mut again = Vec::with_capacity(body.len());
        for frame in frames {
            again.extend_from_slice(&frame.code.to_be_bytes());
            let length = u32::try_from(frame.payload.len()).expect("it was announced");
            again.extend_from_slice(&length.to_be_bytes());
            again.extend_from_slice(frame.payload);
            if let Ok(request) = Request::decode(frame) {
                assert_eq!(request.command().code(), frame.code);
            }
        }
        assert_eq!(again, body);
    }
    // What a client reads of a server.
    let _ = decode_answers::<DecryptResponse>(Command::Decrypt, body);
    let _ = decode_answers::<IdentityResponse>(Command::IdentityStatus, body);
});
