//! Request bodies: whatever is accepted survives its own encoding.
#![no_main]

use keystead_wire_kes::{
    BulkDecryptRequest, DecryptRequest, EncryptRequest, GenerateRequest, HmacRequest, ImportRequest,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    if let Ok(request) = GenerateRequest::decode(body) {
        let again = GenerateRequest::decode(&GenerateRequest::encode(&request.context));
        assert!(again.is_ok_and(|again| again.context == request.context));
    }
    if let Ok(request) = EncryptRequest::decode(body) {
        let again = EncryptRequest::encode(&request.plaintext, &request.context);
        let again = EncryptRequest::decode(&again).expect("own encoding");
        assert!(again.plaintext == request.plaintext && again.context == request.context);
    }
    if let Ok(request) = DecryptRequest::decode(body) {
        let again = DecryptRequest::encode(&request.ciphertext, &request.context);
        let again = DecryptRequest::decode(&again).expect("own encoding");
        assert!(again.ciphertext == request.ciphertext && again.context == request.context);
    }
    if let Ok(request) = HmacRequest::decode(body) {
        let again = HmacRequest::decode(&HmacRequest::encode(&request.message));
        assert!(again.is_ok_and(|again| again.message == request.message));
    }
    if let Ok(request) = ImportRequest::decode(body) {
        let again = ImportRequest::encode(&request.key, &request.cipher);
        let again = ImportRequest::decode(&again).expect("own encoding");
        assert!(again.key == request.key && again.cipher == request.cipher);
    }
    if let Ok(request) = BulkDecryptRequest::decode(body) {
        let items: Vec<_> = request
            .items
            .iter()
            .map(|item| (item.ciphertext.as_slice(), item.context.as_slice()))
            .collect();
        let again = BulkDecryptRequest::decode(&BulkDecryptRequest::encode(&items));
        assert!(again.is_ok_and(|again| again.items.len() == items.len()));
    }
});
