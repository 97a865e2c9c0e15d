use proptest::prelude::*;

use crate::message::KeyStatusRequest;
use crate::{Command, Error, Frame, FrameWriter, MAX_FRAMES, Request, split_frames};

fn body(frames: usize) -> Vec<u8> {
    let mut writer = FrameWriter::new();
    for _ in 0..frames {
        writer.write(Command::EnclaveStatus, &());
    }
    writer.into_body().to_vec()
}

#[test]
fn a_body_without_frames_is_an_error() {
    assert!(matches!(split_frames(b""), Err(Error::Frames { .. })));
}

#[test]
fn the_number_of_frames_is_limited() {
    assert_eq!(split_frames(&body(MAX_FRAMES)).unwrap().len(), MAX_FRAMES);
    let error = split_frames(&body(MAX_FRAMES + 1)).unwrap_err();
    assert_eq!(error, Error::TooManyFrames);
}

#[test]
fn unknown_codes_and_broken_payloads_are_refused() {
    let decode = |code, payload| Request::decode(Frame { code, payload }).err();
    assert_eq!(decode(211, b""), Some(Error::CommandCode { code: 211 }));
    assert_eq!(
        decode(204, b"\x0a\x05my"),
        Some(Error::Payload {
            command: "KEY:STATUS"
        })
    );
}

#[test]
fn unknown_fields_are_ignored() {
    // Field 100, a varint, after the name.
    let payload = b"\x0a\x01k\xa0\x06\x01";
    let request = Request::decode(Frame { code: 204, payload }).unwrap();
    assert_eq!(request.argument(), "k");
}

proptest! {
    #[test]
    fn any_body_is_split_or_refused(bytes: Vec<u8>) {
        if let Ok(frames) = split_frames(&bytes) {
            let length: usize = frames.iter().map(|frame| frame.payload.len() + 6).sum();
            prop_assert_eq!(length, bytes.len());
            for frame in frames {
                // Whatever it is, it is read or refused.
                if let Ok(request) = Request::decode(frame) {
                    prop_assert_eq!(request.command().code(), frame.code);
                }
            }
        }
    }

    #[test]
    fn what_is_written_is_read(names in prop::collection::vec("\\PC{0,40}", 1..20)) {
        let mut writer = FrameWriter::new();
        for name in &names {
            writer.write(Command::KeyStatus, &KeyStatusRequest { name: name.clone(), version: 7 });
        }
        let body = writer.into_body();
        let frames = split_frames(&body).unwrap();
        prop_assert_eq!(frames.len(), names.len());
        for (frame, name) in frames.into_iter().zip(&names) {
            let request = Request::decode(frame).unwrap();
            prop_assert_eq!(request.argument(), name);
        }
    }
}
