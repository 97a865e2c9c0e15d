mod identity;
mod key;
mod policy;
mod sealed;
mod server;

use serde::de::DeserializeOwned;

pub use identity::{DescribeIdentity, DescribeSelf};
pub use key::DescribeKey;
pub use policy::{DescribePolicy, ReadPolicy, Rules};
pub use sealed::{
    BulkDecryptResponse, DecryptResponse, EncryptResponse, GenerateResponse, HmacResponse,
};
pub use server::{ApiInfo, ApiList, Status, Version};

use crate::{Error, fields};

/// Reads the JSON body of a successful answer.
///
/// # Errors
///
/// [`Error::Response`] if the document has another shape.
pub fn decode_response<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    fields::first_value(body).map_err(|error| Error::response(&error))
}
