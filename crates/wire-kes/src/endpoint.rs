use std::time::Duration;

use http::Method;

/// The largest request body, in bytes, of the endpoints that take one.
const MAX_BODY: usize = 1_000_000;

/// One operation of the API.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Api {
    /// The version of the server.
    Version,
    /// Whether the server can do its work.
    Ready,
    /// The state of server and key store.
    Status,
    /// Metrics in the text format of Prometheus.
    Metrics,
    /// The list of endpoints.
    ListApis,
    /// Makes a key.
    CreateKey,
    /// Stores a key that the caller brings.
    ImportKey,
    /// Tells about a key.
    DescribeKey,
    /// Lists key names.
    ListKeys,
    /// Deletes a key.
    DeleteKey,
    /// Makes a data key, plain and encrypted.
    Generate,
    /// Encrypts a message.
    Encrypt,
    /// Decrypts a message.
    Decrypt,
    /// Decrypts many messages (releases v0.19 to 2023-10-03; decision D19).
    BulkDecrypt,
    /// Computes a message authentication code.
    Hmac,
    /// Tells about a policy.
    DescribePolicy,
    /// Reads the rules of a policy.
    ReadPolicy,
    /// Lists policy names.
    ListPolicies,
    /// Tells about an identity.
    DescribeIdentity,
    /// Lists identities.
    ListIdentities,
    /// Tells the caller about itself.
    DescribeSelf,
    /// Streams the error log.
    ErrorLog,
    /// Streams the audit log.
    AuditLog,
}

/// What an endpoint asks of its caller.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Auth {
    /// The admin, or a policy that allows the path.
    Policy,
    /// Any client certificate.
    Certificate,
    /// Nothing.
    None,
}

/// One line of the endpoint table (KES protocol, section 3.6).
#[derive(Debug)]
pub struct Endpoint {
    /// The operation.
    pub api: Api,
    /// The method as the table and `/v1/api` show it; see [`Endpoint::accepts`].
    pub method: Method,
    /// The path; one that ends in `/` is followed by one segment, the resource.
    pub path: &'static str,
    /// The largest body in bytes; 0 if the body is not read.
    pub max_body: usize,
    /// Time for the answer; zero for the endless log streams.
    pub timeout: Duration,
    /// What is asked of the caller.
    pub auth: Auth,
    /// Whether the configuration may let anyone in (decision D22).
    pub may_skip_auth: bool,
}

/// Every endpoint, in the order of the documentation.
pub static ENDPOINTS: [Endpoint; 23] = [
    get(Api::Version, "/version")
        .within(10)
        .asking(Auth::None)
        .may_skip_auth(),
    get(Api::Ready, "/v1/ready").may_skip_auth(),
    get(Api::Status, "/v1/status").may_skip_auth(),
    get(Api::Metrics, "/v1/metrics").may_skip_auth(),
    get(Api::ListApis, "/v1/api").within(10).may_skip_auth(),
    put(Api::CreateKey, "/v1/key/create/", 0),
    put(Api::ImportKey, "/v1/key/import/", MAX_BODY),
    get(Api::DescribeKey, "/v1/key/describe/"),
    get(Api::ListKeys, "/v1/key/list/"),
    delete(Api::DeleteKey, "/v1/key/delete/"),
    put(Api::Generate, "/v1/key/generate/", MAX_BODY),
    put(Api::Encrypt, "/v1/key/encrypt/", MAX_BODY),
    put(Api::Decrypt, "/v1/key/decrypt/", MAX_BODY),
    put(Api::BulkDecrypt, "/v1/key/bulk/decrypt/", MAX_BODY),
    put(Api::Hmac, "/v1/key/hmac/", MAX_BODY),
    get(Api::DescribePolicy, "/v1/policy/describe/"),
    get(Api::ReadPolicy, "/v1/policy/read/"),
    get(Api::ListPolicies, "/v1/policy/list/"),
    get(Api::DescribeIdentity, "/v1/identity/describe/"),
    get(Api::ListIdentities, "/v1/identity/list/"),
    get(Api::DescribeSelf, "/v1/identity/self/describe").asking(Auth::Certificate),
    get(Api::ErrorLog, "/v1/log/error").within(0),
    get(Api::AuditLog, "/v1/log/audit").within(0),
];

const fn get(api: Api, path: &'static str) -> Endpoint {
    endpoint(api, Method::GET, path, 0)
}

const fn put(api: Api, path: &'static str, max_body: usize) -> Endpoint {
    endpoint(api, Method::PUT, path, max_body)
}

const fn delete(api: Api, path: &'static str) -> Endpoint {
    endpoint(api, Method::DELETE, path, 0)
}

const fn endpoint(api: Api, method: Method, path: &'static str, max_body: usize) -> Endpoint {
    Endpoint {
        api,
        method,
        path,
        max_body,
        timeout: Duration::from_secs(15),
        auth: Auth::Policy,
        may_skip_auth: false,
    }
}

// === impl Endpoint ===

impl Endpoint {
    /// The endpoint with this path, spelled as in the table.
    #[must_use]
    pub fn of_path(path: &str) -> Option<&'static Self> {
        ENDPOINTS.iter().find(|endpoint| endpoint.path == path)
    }

    /// Whether the path ends in a resource: a name or a list pattern.
    #[must_use]
    pub fn has_resource(&self) -> bool {
        self.path.ends_with('/')
    }

    /// Whether a request with `method` may proceed: POST stands for PUT.
    #[must_use]
    pub fn accepts(&self, method: &Method) -> bool {
        *method == self.method || (*method == Method::POST && self.method == Method::PUT)
    }

    const fn within(mut self, seconds: u64) -> Self {
        self.timeout = Duration::from_secs(seconds);
        self
    }

    const fn asking(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    const fn may_skip_auth(mut self) -> Self {
        self.may_skip_auth = true;
        self
    }
}
