//! The message of every command of MinIO KMS; the first byte chooses the command.
//! Whatever is accepted has an argument, and faults have a text.
#![no_main]

use keystead_wire_kms::{Command, Frame, FrameWriter, Name, Request, check_tags};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((choice, payload)) = input.split_first() else {
        return;
    };
    let command = Command::ALL[usize::from(*choice) % Command::ALL.len()];
    let code = command.code();
    match Request::decode(Frame { code, payload }) {
        Ok(request) => {
            assert_eq!(request.command(), command);
            let argument = request.argument();
            for kind in [Name::Enclave, Name::Key, Name::Policy] {
                if kind.check(argument).is_ok() {
                    assert!((1..=128).contains(&argument.len()) && argument.is_ascii());
                }
            }
            examine(&request);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

/// What the server does with messages that have more than a name.
fn examine(request: &Request) {
    match request {
        Request::CreateIdentity(message) => {
            let _ = check_tags(&message.tags);
        }
        Request::CreatePolicy(message) => {
            let rules = keystead_store::rules_from_message(&message.allow, &message.deny);
            if let Ok(rules) = rules {
                let (allow, deny) = keystead_store::rules_to_message(&rules);
                let again = keystead_store::rules_from_message(&allow, &deny);
                assert_eq!(again.expect("own message"), rules);
            }
            // The message survives its own encoding.
            let mut frames = FrameWriter::new();
            frames.write(Command::CreatePolicy, message);
            let body = frames.into_body();
            let payload = &body[6..];
            let code = Command::CreatePolicy.code();
            let Ok(Request::CreatePolicy(again)) = Request::decode(Frame { code, payload }) else {
                panic!("own encoding");
            };
            assert_eq!(&again, message);
        }
        _ => {}
    }
}
