//! Responses of a server as the client reads them.
#![no_main]

use http::StatusCode;
use keystead_wire_kes::{
    ApiError, ApiList, BulkDecryptResponse, CONTENT_TYPE_JSON, CONTENT_TYPE_NDJSON,
    DecryptResponse, DescribeIdentity, DescribeKey, DescribePolicy, DescribeSelf, EncryptResponse,
    GenerateResponse, HmacResponse, NamePage, ReadPolicy, Status, Version, decode_response,
};
use libfuzzer_sys::fuzz_target;

macro_rules! decode {
    ($body:expr, $($response:ty),+) => {
        $(let _ = decode_response::<$response>($body);)+
    };
}

fuzz_target!(|body: &[u8]| {
    decode!(
        body,
        ApiList,
        BulkDecryptResponse,
        DecryptResponse,
        DescribeIdentity,
        DescribeKey
    );
    decode!(
        body,
        DescribePolicy,
        DescribeSelf,
        EncryptResponse,
        GenerateResponse,
        HmacResponse
    );
    decode!(body, ReadPolicy, Status, Version);
    for content_type in [None, Some(CONTENT_TYPE_JSON), Some(CONTENT_TYPE_NDJSON)] {
        let error = ApiError::decode(StatusCode::BAD_REQUEST, content_type, body);
        let again = ApiError::decode(
            StatusCode::BAD_REQUEST,
            Some(CONTENT_TYPE_JSON),
            &error.body(),
        );
        assert_eq!(again, error);
        let _ = NamePage::decode(content_type, body);
    }
});
