use http::{HeaderValue, Method, header};
use reqwest::Body;

use crate::answer::Download;
use crate::client::{Call, PROTOBUF, headers};
use crate::endpoint::Endpoint;
use crate::{Client, Error};

const PATH: &str = "/v1/db";

/// Backups.
impl Client {
    /// A consistent copy of all that a server knows, sealed by the server.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`].
    pub async fn read_db(&self) -> Result<Download, Error> {
        let any = HeaderValue::from_static("application/*");
        let call = Call::empty(Method::GET, PATH, any);
        self.ask(&call).await.map(Download::of)
    }

    /// Replaces all that the server at `host` knows by a backup, which may be inside
    /// gzip. A server that is not new refuses without `force`.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`].
    pub async fn write_db(
        &self,
        host: &str,
        backup: impl Into<Body>,
        length: u64,
        force: bool,
    ) -> Result<(), Error> {
        let server = Endpoint::parse(host)?;
        let path = if force { "/v1/db?force" } else { PATH };
        let headers = headers([
            (header::ACCEPT, PROTOBUF),
            (header::CONTENT_LENGTH, HeaderValue::from(length)),
        ]);
        self.upload(&server, path, headers, backup.into()).await
    }

    /// Replaces the root key of the cluster by a new one; gives its id in hex. Other
    /// servers than ours do not know this.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`].
    pub async fn rotate_root(&self) -> Result<String, Error> {
        let any = HeaderValue::from_static("*/*");
        let call = Call::empty(Method::POST, "/v1/db/rotate", any);
        let id = self.change(&call).await?.body().await;
        let id = id.map_err(Error::after_a_change)?;
        Ok(String::from_utf8_lossy(&id).trim().to_owned())
    }
}
