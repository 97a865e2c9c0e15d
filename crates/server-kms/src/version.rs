use keystead_wire_kms::message::VersionResponse;

use crate::answer::{self, Answer};
use crate::call::Call;

/// The version of the protocol.
pub(crate) const API_VERSION: &str = "v1";

/// `GET /version`, which everybody may ask.
pub(crate) fn version(call: &Call<'_>) -> Answer {
    let build = &call.shared.build;
    let message = VersionResponse {
        version: build.version.clone(),
        commit: build.commit.clone(),
        api_version: API_VERSION.to_owned(),
        host: call.shared.store.status().host,
        fips140: build.fips,
    };
    answer::document(&message, call.headers())
}
