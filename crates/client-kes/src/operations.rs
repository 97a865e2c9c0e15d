use bytes::Bytes;
use http::Method;
use keystead_wire_kes::{
    ApiList, AuditRecord, BulkDecryptRequest, BulkDecryptResponse, DecryptRequest, DecryptResponse,
    DescribeIdentity, DescribeKey, DescribePolicy, DescribeSelf, EncryptRequest, EncryptResponse,
    ErrorRecord, GenerateRequest, GenerateResponse, HmacRequest, HmacResponse, ImportRequest,
    NamePage, ReadPolicy, Status, Version, decode_response,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;

use crate::{Client, Error, LogStream};

/// What is escaped in the last segment of a path: all but the characters of names and
/// the separator of continuations. A name `..` must not climb up.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'@');

/// The server.
impl Client {
    /// The version of the server.
    ///
    /// # Errors
    ///
    /// Like all methods: [`Error::Api`] if the server refuses, [`Error::Connection`] if
    /// no server answers, [`Error::Response`] or [`Error::Status`] if a server answers
    /// something else than the protocol says.
    pub async fn version(&self) -> Result<Version, Error> {
        self.get("/version").await
    }

    /// Succeeds if the server can do its work.
    ///
    /// # Errors
    ///
    /// As [`Client::version`].
    pub async fn ready(&self) -> Result<(), Error> {
        self.command(Method::GET, "/v1/ready", Bytes::new()).await
    }

    /// The state of the server and its key store.
    ///
    /// # Errors
    ///
    /// As [`Client::version`].
    pub async fn status(&self) -> Result<Status, Error> {
        self.get("/v1/status").await
    }

    /// The metrics in the text format of Prometheus.
    ///
    /// # Errors
    ///
    /// As [`Client::version`].
    pub async fn metrics(&self) -> Result<String, Error> {
        let answer = self
            .request(Method::GET, "/v1/metrics", Bytes::new())
            .await?;
        let body = answer.body().await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// The endpoints of the server.
    ///
    /// # Errors
    ///
    /// As [`Client::version`].
    pub async fn apis(&self) -> Result<ApiList, Error> {
        self.get("/v1/api").await
    }

    /// The events of the error log from now on.
    ///
    /// # Errors
    ///
    /// As [`Client::version`].
    pub async fn error_log(&self) -> Result<LogStream<ErrorRecord>, Error> {
        self.stream("/v1/log/error").await
    }

    /// The events of the audit log from now on.
    ///
    /// # Errors
    ///
    /// As [`Client::version`].
    pub async fn audit_log(&self) -> Result<LogStream<AuditRecord>, Error> {
        self.stream("/v1/log/audit").await
    }
}

/// Keys.
impl Client {
    /// Makes a key.
    ///
    /// # Errors
    ///
    /// As [`Client::version`]; [`ApiError::KEY_EXISTS`] also if an earlier attempt of
    /// this call succeeded and its answer got lost.
    ///
    /// [`ApiError::KEY_EXISTS`]: keystead_wire_kes::ApiError::KEY_EXISTS
    pub async fn create_key(&self, name: &str) -> Result<(), Error> {
        self.command(Method::POST, &path("/v1/key/create/", name), Bytes::new())
            .await
    }

    /// Stores a key of 32 bytes for a cipher, `AES256` or `ChaCha20`.
    ///
    /// # Errors
    ///
    /// As [`Client::create_key`].
    pub async fn import_key(&self, name: &str, key: &[u8], cipher: &str) -> Result<(), Error> {
        let body = ImportRequest::encode(key, cipher);
        self.command(Method::POST, &path("/v1/key/import/", name), body)
            .await
    }

    /// Tells about a key.
    ///
    /// # Errors
    ///
    /// As [`Client::version`].
    pub async fn describe_key(&self, name: &str) -> Result<DescribeKey, Error> {
        self.get(&path("/v1/key/describe/", name)).await
    }

    /// Deletes a key; what it encrypted is lost.
    ///
    /// # Errors
    ///
    /// As [`Client::version`].
    pub async fn delete_key(&self, name: &str) -> Result<(), Error> {
        self.command(Method::DELETE, &path("/v1/key/delete/", name), Bytes::new())
            .await
    }

    /// The names of all keys that begin with `prefix`, sorted.
    ///
    /// # Errors
    ///
    /// As [`Client::version`].
    pub async fn list_keys(&self, prefix: &str) -> Result<Vec<String>, Error> {
        self.list("/v1/key/list/", prefix).await
    }

    /// One page of key names: the first one for a prefix, or the one for the
    /// `continue_at` of the page before.
    ///
    /// # Errors
    ///
    /// As [`Client::version`].
    pub async fn list_keys_page(&self, pattern: &str) -> Result<NamePage, Error> {
        self.page("/v1/key/list/", pattern).await
    }

    /// Makes a data key of 32 bytes, plain and encrypted with the named key.
    ///
    /// # Errors
    ///
    /// As [`Client::version`].
    pub async fn generate(&self, name: &str, context: &[u8]) -> Result<GenerateResponse, Error> {
        let body = GenerateRequest::encode(context);
        self.post(&path("/v1/key/generate/", name), body).await
    }

    /// Encrypts a message of at most about 749,000 bytes.
    ///
    /// # Errors
    ///
    /// As [`Client::version`].
    pub async fn encrypt(
        &self,
        name: &str,
        plaintext: &[u8],
        context: &[u8],
    ) -> Result<EncryptResponse, Error> {
        let body = EncryptRequest::encode(plaintext, context);
        self.post(&path("/v1/key/encrypt/", name), body).await
    }

    /// Decrypts a message.
    ///
    /// # Errors
    ///
    /// As [`Client::version`].
    pub async fn decrypt(
        &self,
        name: &str,
        ciphertext: &[u8],
        context: &[u8],
    ) -> Result<DecryptResponse, Error> {
        let body = DecryptRequest::encode(ciphertext, context);
        self.post(&path("/v1/key/decrypt/", name), body).await
    }

    /// Decrypts up to 1000 pairs of ciphertext and context. Servers of 2023-10-24 to
    /// 2025 do not know this operation and answer 404.
    ///
    /// # Errors
    ///
    /// As [`Client::version`]; one message that cannot be decrypted fails them all.
    pub async fn bulk_decrypt(
        &self,
        name: &str,
        items: &[(&[u8], &[u8])],
    ) -> Result<BulkDecryptResponse, Error> {
        let body = BulkDecryptRequest::encode(items);
        self.post(&path("/v1/key/bulk/decrypt/", name), body).await
    }

    /// Computes HMAC-SHA-256 of a message.
    ///
    /// # Errors
    ///
    /// As [`Client::version`].
    pub async fn hmac(&self, name: &str, message: &[u8]) -> Result<HmacResponse, Error> {
        let body = HmacRequest::encode(message);
        self.document(Method::PUT, &path("/v1/key/hmac/", name), body)
            .await
    }
}

/// Policies and identities.
impl Client {
    /// Tells about a policy.
    ///
    /// # Errors
    ///
    /// As [`Client::version`].
    pub async fn describe_policy(&self, name: &str) -> Result<DescribePolicy, Error> {
        self.get(&path("/v1/policy/describe/", name)).await
    }

    /// Reads the rules of a policy.
    ///
    /// # Errors
    ///
    /// As [`Client::version`].
    pub async fn read_policy(&self, name: &str) -> Result<ReadPolicy, Error> {
        self.get(&path("/v1/policy/read/", name)).await
    }

    /// The names of all policies that begin with `prefix`, sorted.
    ///
    /// # Errors
    ///
    /// As [`Client::version`].
    pub async fn list_policies(&self, prefix: &str) -> Result<Vec<String>, Error> {
        self.list("/v1/policy/list/", prefix).await
    }

    /// Tells about an identity.
    ///
    /// # Errors
    ///
    /// As [`Client::version`].
    pub async fn describe_identity(&self, identity: &str) -> Result<DescribeIdentity, Error> {
        self.get(&path("/v1/identity/describe/", identity)).await
    }

    /// Tells the client about itself.
    ///
    /// # Errors
    ///
    /// As [`Client::version`].
    pub async fn describe_self(&self) -> Result<DescribeSelf, Error> {
        self.get("/v1/identity/self/describe").await
    }

    /// All identities that begin with `prefix`, sorted.
    ///
    /// # Errors
    ///
    /// As [`Client::version`].
    pub async fn list_identities(&self, prefix: &str) -> Result<Vec<String>, Error> {
        self.list("/v1/identity/list/", prefix).await
    }
}

impl Client {
    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.document(Method::GET, path, Bytes::new()).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: Bytes) -> Result<T, Error> {
        self.document(Method::POST, path, body).await
    }

    async fn document<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<T, Error> {
        let body = self.request(method, path, body).await?.body().await?;
        Ok(decode_response(&body)?)
    }

    async fn command(&self, method: Method, path: &str, body: Bytes) -> Result<(), Error> {
        self.request(method, path, body).await.map(drop)
    }

    async fn stream<T: DeserializeOwned>(&self, path: &str) -> Result<LogStream<T>, Error> {
        let answer = self.request(Method::GET, path, Bytes::new()).await?;
        Ok(LogStream::new(answer))
    }

    async fn list(&self, route: &str, prefix: &str) -> Result<Vec<String>, Error> {
        let mut page = self.page(route, prefix).await?;
        let mut names = page.names;
        while let Some(pattern) = page.continue_at {
            page = self.page(route, &pattern).await?;
            // A page that continues at itself would never end.
            page.continue_at = page.continue_at.filter(|next| *next != pattern);
            names.append(&mut page.names);
        }
        names.sort_unstable();
        Ok(names)
    }

    async fn page(&self, route: &str, pattern: &str) -> Result<NamePage, Error> {
        // Servers up to 2023-10-03 refuse an empty pattern; all know the star.
        let pattern = if pattern.is_empty() { "*" } else { pattern };
        let path = path(route, pattern);
        let answer = self.request(Method::GET, &path, Bytes::new()).await?;
        let content_type = answer.content_type().map(str::to_owned);
        let body = answer.body().await?;
        Ok(NamePage::decode(content_type.as_deref(), &body)?)
    }
}

fn path(route: &str, resource: &str) -> String {
    format!("{route}{}", utf8_percent_encode(resource, ESCAPED))
}
