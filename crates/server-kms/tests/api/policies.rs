//! Policies (decisions D24, D26, D27, D29, D30).

use keystead_wire_kms::message::{
    AssignPolicyRequest, CreatePolicyRequest, DecryptRequest, DeletePolicyRequest,
    GenerateKeyRequest, IdentityRequest, IdentityResponse, ImportKeyRequest, ListRequest,
    PolicyRequest, PolicyResponse, PolicyStatusResponse,
};
use keystead_wire_kms::{ApiError, Command};
use serde_json::Value;

use crate::support::world::policy_request;
use crate::support::{Answer, Client, World, frame, id, vectors};

/// Registers a user with the golden policy.
pub(crate) async fn golden_user(world: &World, policy: &Value, number: u8) {
    world.register("e", number, "User").await;
    let mut root = world.root().await;
    let request = CreatePolicyRequest {
        name: "golden".into(),
        allow: serde_json::from_value(policy["allow"].clone()).unwrap(),
        deny: serde_json::from_value(policy["deny"].clone()).unwrap(),
    };
    root.change("e", Command::CreatePolicy, &request).await;
    let request = AssignPolicyRequest {
        identity: id(number).to_string(),
        policy: "golden".into(),
    };
    root.change("e", Command::AssignPolicy, &request).await;
}

/// Gives a command with its argument; whether it was permitted, whatever became of it.
async fn permitted(client: &mut Client, command: &str, argument: &str) -> bool {
    let name = argument.to_owned();
    let body = match command {
        "KEY:GENERATE" => frame(
            Command::GenerateKey,
            &GenerateKeyRequest {
                name,
                ..Default::default()
            },
        ),
        "KEY:DECRYPT" => frame(
            Command::Decrypt,
            &DecryptRequest {
                name,
                ..Default::default()
            },
        ),
        "KEY:IMPORT" => frame(
            Command::ImportKey,
            &ImportKeyRequest {
                name,
                key: vec![1; 32],
                r#type: String::new(),
            },
        ),
        "KEY:CREATE" => frame(
            Command::CreateKey,
            &keystead_wire_kms::message::CreateKeyRequest {
                name,
                ..Default::default()
            },
        ),
        "POLICY:GET" => frame(Command::GetPolicy, &PolicyRequest { name }),
        other => panic!("{other}"),
    };
    let answer = client.commands("e", body).await;
    answer.status != 403
}

#[tokio::test]
async fn the_golden_policy_decides() {
    let vectors = vectors("decisions.policy");
    let world = World::new().await;
    world.enclave("e").await;
    golden_user(&world, &vectors["policy"], 1).await;
    let mut user = world.member(1).await;
    for case in vectors["single"].as_array().unwrap() {
        let text = |field: &str| case[field].as_str().unwrap();
        let answer = permitted(&mut user, text("command"), text("argument")).await;
        assert_eq!(case["allowed"], answer, "{case}");
    }
}

#[tokio::test]
async fn patterns_and_commands_are_taken_or_refused() {
    let vectors = vectors("decisions.policy");
    let world = World::new().await;
    world.enclave("e").await;
    let mut root = world.root().await;
    let list = |field: &str| -> Vec<String> {
        let items = vectors[field].as_array().unwrap().iter();
        items
            .map(|item| item.as_str().unwrap().to_owned())
            .collect()
    };
    for pattern in list("accepted_patterns") {
        let request = policy_request("p", &[("KEY:GENERATE", &[&pattern])], &[]);
        root.change("e", Command::CreatePolicy, &request).await;
    }
    for pattern in list("rejected_patterns") {
        let request = policy_request("p", &[], &[("KEY:GENERATE", &[&pattern])]);
        let answer = root.ask("e", Command::CreatePolicy, &request).await;
        answer.is(&ApiError::INVALID_PATTERN);
    }
    for command in list("rejected_commands") {
        let request = policy_request("p", &[(&command, &["*"])], &[]);
        let answer = root.ask("e", Command::CreatePolicy, &request).await;
        answer.is_error(400, &format!("invalid command '{command}'"));
    }
    for (alias, name) in vectors["aliases"].as_object().unwrap() {
        let request = policy_request("p", &[(alias, &["*"])], &[]);
        root.change("e", Command::CreatePolicy, &request).await;
        let get = PolicyRequest { name: "p".into() };
        let answer = root.ask("e", Command::GetPolicy, &get).await;
        let policy: PolicyResponse = answer.message(Command::GetPolicy);
        assert_eq!(
            policy.allow.keys().collect::<Vec<_>>(),
            [name.as_str().unwrap()]
        );
    }
}

#[tokio::test]
async fn a_policy_is_made_shown_overwritten_and_removed() {
    let world = World::new().await;
    world.enclave("e").await;
    world.register("e", 1, "User").await;
    let mut root = world.root().await;
    let get = PolicyRequest { name: "p".into() };
    for command in [Command::GetPolicy, Command::PolicyStatus] {
        root.ask("e", command, &get)
            .await
            .is(&ApiError::POLICY_NOT_FOUND);
    }
    let delete = DeletePolicyRequest { name: "p".into() };
    let answer = root.ask("e", Command::DeletePolicy, &delete).await;
    answer.is(&ApiError::POLICY_NOT_FOUND);
    let assign = |policy: &str| AssignPolicyRequest {
        identity: id(1).to_string(),
        policy: policy.into(),
    };
    let answer = root.ask("e", Command::AssignPolicy, &assign("p")).await;
    answer.is(&ApiError::POLICY_NOT_FOUND);

    for pattern in ["a*", "b*"] {
        let request = policy_request("p", &[("KEY:LIST", &[pattern])], &[]);
        root.change("e", Command::CreatePolicy, &request).await;
        let answer = root.ask("e", Command::GetPolicy, &get).await;
        let policy: PolicyResponse = answer.message(Command::GetPolicy);
        assert_eq!(policy.allow["KEY:LIST"].patterns(), [pattern]);
        assert_eq!(policy.created_by, id(0).to_string());
    }
    let answer = root.ask("e", Command::PolicyStatus, &get).await;
    let status: PolicyStatusResponse = answer.message(Command::PolicyStatus);
    assert_eq!((&*status.name, status.created_at.is_some()), ("p", true));

    // A later policy of the name starts unassigned (D24).
    let mut user = world.member(1).await;
    let list = ListRequest::default();
    root.change("e", Command::AssignPolicy, &assign("p")).await;
    assert_eq!(user.ask("e", Command::ListKeys, &list).await.status, 200);
    root.change("e", Command::DeletePolicy, &delete).await;
    let refused = |answer: Answer| answer.is(&ApiError::NOT_ALLOWED);
    refused(user.ask("e", Command::ListKeys, &list).await);
    let request = policy_request("p", &[("KEY:LIST", &["*"])], &[]);
    root.change("e", Command::CreatePolicy, &request).await;
    refused(user.ask("e", Command::ListKeys, &list).await);
    root.change("e", Command::AssignPolicy, &assign("p")).await;
    assert_eq!(user.ask("e", Command::ListKeys, &list).await.status, 200);
    // No name takes the policy away (D23).
    root.change("e", Command::AssignPolicy, &assign("")).await;
    refused(user.ask("e", Command::ListKeys, &list).await);
}

#[tokio::test]
async fn another_spelling_of_an_identity_gets_past_no_rule() {
    let world = World::new().await;
    world.enclave("e").await;
    world.register("e", 2, "User").await;
    let other = id(2).to_string();
    // The last character holds two unused bits.
    let mut spelling = other.clone();
    let last = spelling.pop().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let at = alphabet.find(last).unwrap();
    spelling.push(alphabet.chars().nth(at + 1).unwrap());
    assert_eq!(
        spelling.parse::<keystead_identity::KmsIdentity>().unwrap(),
        id(2)
    );

    let allow: &[(&str, &[&str])] = &[("IDENTITY:STATUS", &["*"])];
    let deny: &[(&str, &[&str])] = &[("IDENTITY:STATUS", &[&other])];
    world.user("e", 1, allow, deny).await;
    let mut user = world.member(1).await;
    for identity in [other, spelling] {
        let request = IdentityRequest { identity };
        let answer = user.ask("e", Command::IdentityStatus, &request).await;
        answer.is(&ApiError::NOT_ALLOWED);
    }
    let own = IdentityRequest {
        identity: id(1).to_string(),
    };
    let answer = user.ask("e", Command::IdentityStatus, &own).await;
    let own: IdentityResponse = answer.message(Command::IdentityStatus);
    assert_eq!(own.policy, "policy-1");
}
