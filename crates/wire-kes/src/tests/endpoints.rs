//! The endpoint table.

use http::Method;

use crate::{Api, ApiInfo, ApiList, Auth, ENDPOINTS, Endpoint};

#[test]
fn knows_every_endpoint() {
    let text: String = ENDPOINTS
        .iter()
        .map(|endpoint| {
            let skip = if endpoint.may_skip_auth { " open" } else { "" };
            format!(
                "{} {} {} {} {:?}{skip}\n",
                endpoint.method,
                endpoint.path,
                endpoint.max_body,
                endpoint.timeout.as_secs(),
                endpoint.auth,
            )
        })
        .collect();
    assert_eq!(
        text,
        "GET /version 0 10 None open\n\
         GET /v1/ready 0 15 Policy open\n\
         GET /v1/status 0 15 Policy open\n\
         GET /v1/metrics 0 15 Policy open\n\
         GET /v1/api 0 10 Policy open\n\
         PUT /v1/key/create/ 0 15 Policy\n\
         PUT /v1/key/import/ 1000000 15 Policy\n\
         GET /v1/key/describe/ 0 15 Policy\n\
         GET /v1/key/list/ 0 15 Policy\n\
         DELETE /v1/key/delete/ 0 15 Policy\n\
         PUT /v1/key/generate/ 1000000 15 Policy\n\
         PUT /v1/key/encrypt/ 1000000 15 Policy\n\
         PUT /v1/key/decrypt/ 1000000 15 Policy\n\
         PUT /v1/key/bulk/decrypt/ 1000000 15 Policy\n\
         PUT /v1/key/hmac/ 1000000 15 Policy\n\
         GET /v1/policy/describe/ 0 15 Policy\n\
         GET /v1/policy/read/ 0 15 Policy\n\
         GET /v1/policy/list/ 0 15 Policy\n\
         GET /v1/identity/describe/ 0 15 Policy\n\
         GET /v1/identity/list/ 0 15 Policy\n\
         GET /v1/identity/self/describe 0 15 Certificate\n\
         GET /v1/log/error 0 0 Policy\n\
         GET /v1/log/audit 0 0 Policy\n"
    );
}

#[test]
fn describes_endpoints() {
    let create = Endpoint::of_path("/v1/key/create/").unwrap();
    assert!(create.has_resource());
    assert!(create.accepts(&Method::PUT) && create.accepts(&Method::POST));
    assert!(!create.accepts(&Method::GET));
    let version = Endpoint::of_path("/version").unwrap();
    assert_eq!((version.api, version.auth), (Api::Version, Auth::None));
    assert!(!version.has_resource());
    assert!(!version.accepts(&Method::HEAD) && !version.accepts(&Method::POST));
    assert!(Endpoint::of_path("/v1/key/create").is_none());
    let apis = ApiList {
        apis: vec![ApiInfo::from(create)],
    };
    assert_eq!(
        apis.encode(),
        "[{\"method\":\"PUT\",\"path\":\"/v1/key/create/\",\"max_body\":0,\"timeout\":15}]\n"
    );
}
