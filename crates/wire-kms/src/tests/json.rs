use serde_json::{json, to_value};

use crate::message::{
    GenerateKeyResponse, IdentityResponse, PolicyResponse, RuleSet, ServerStatusResponse,
};
use crate::to_timestamp;

#[test]
fn every_member_is_present_under_its_name() {
    let identity = IdentityResponse {
        privilege: 2,
        created_at: Some(to_timestamp(
            "2025-01-02T03:04:05.000000006Z".parse().unwrap(),
        )),
        ..Default::default()
    };
    assert_eq!(
        to_value(&identity).unwrap(),
        json!({
            "identity": "", "privilege": "Admin", "policy": "",
            "created_at": "2025-01-02T03:04:05.000000006Z", "created_by": "",
            "is_service_account": false, "service_accounts": [], "tags": {},
        })
    );
}

#[test]
fn numbers_durations_bytes_and_rules_have_their_form() {
    let status = ServerStatusResponse {
        uptime: Some(prost_types::Duration {
            seconds: 90,
            nanos: 500_000_000,
        }),
        heap_mem_in_use: u64::MAX,
        nodes: [(0, "h:7373".to_owned())].into(),
        leader_id: -1,
        ..Default::default()
    };
    let status = to_value(&status).unwrap();
    assert_eq!(status["uptime"], "1m30.5s");
    assert_eq!(status["last_heartbeat"], "0s");
    assert_eq!(status["sys_mem_heap_used"], u64::MAX);
    assert_eq!(status["nodes"], json!({ "0": "h:7373" }));
    assert_eq!(status["leader_id"], -1);

    let key = GenerateKeyResponse {
        version: 1,
        plaintext: vec![255; 2],
        ciphertext: vec![],
    };
    assert_eq!(
        to_value(&key).unwrap(),
        json!({ "version": 1, "plaintext": "//8=", "ciphertext": "" })
    );

    let policy = PolicyResponse {
        allow: [("KEY:CREATE".to_owned(), RuleSet::from_iter(["b", "a*", ""]))].into(),
        ..Default::default()
    };
    let policy = to_value(&policy).unwrap();
    assert_eq!(policy["allow"], json!({ "KEY:CREATE": ["b", "a*"] }));
    assert_eq!(policy["created_at"], "1970-01-01T00:00:00Z");
}
