//! Identities and service accounts (decisions D21 to D23).

use keystead_store::Operation;
use keystead_wire_kms::message::{
    AssignPolicyRequest, CreateIdentityRequest, DeleteIdentityRequest, GenerateKeyRequest,
    IdentityRequest, IdentityResponse, ListRequest,
};
use keystead_wire_kms::{ApiError, Command};

use crate::support::{Client, World, id};

fn create(number: u8, privilege: &str, is_service_account: bool) -> CreateIdentityRequest {
    CreateIdentityRequest {
        identity: id(number).to_string(),
        privilege: privilege.into(),
        is_service_account,
        ..Default::default()
    }
}

async fn created(client: &mut Client, request: &CreateIdentityRequest) -> u16 {
    let answer = client.ask("e", Command::CreateIdentity, request).await;
    answer.status
}

async fn deleted(client: &mut Client, number: u8) -> u16 {
    let request = DeleteIdentityRequest {
        identity: id(number).to_string(),
    };
    let answer = client.ask("e", Command::DeleteIdentity, &request).await;
    answer.status
}

async fn assigned(client: &mut Client, number: u8, policy: &str) -> u16 {
    let request = AssignPolicyRequest {
        identity: id(number).to_string(),
        policy: policy.into(),
    };
    let answer = client.ask("e", Command::AssignPolicy, &request).await;
    answer.status
}

async fn show(
    client: &mut Client,
    enclave: &str,
    number: u8,
) -> Result<IdentityResponse, ApiError> {
    let request = IdentityRequest {
        identity: id(number).to_string(),
    };
    let answer = client.ask(enclave, Command::IdentityStatus, &request).await;
    match answer.status {
        200 => Ok(answer.message(Command::IdentityStatus)),
        _ => Err(answer.error()),
    }
}

async fn generates(client: &mut Client) -> u16 {
    let request = GenerateKeyRequest {
        name: "k".into(),
        ..Default::default()
    };
    client.ask("e", Command::GenerateKey, &request).await.status
}

/// An enclave with a key, an admin 1, and a user 2 that may generate data keys and make and
/// remove identities.
async fn world() -> World {
    let world = World::new().await;
    world.enclave("e").await;
    world.key("e", "k").await;
    world.register("e", 1, "Admin").await;
    let allow: &[(&str, &[&str])] = &[
        ("KEY:GENERATE", &["*"]),
        ("IDENTITY:CREATE", &["*"]),
        ("IDENTITY:DELETE", &["*"]),
        ("POLICY:ASSIGN", &["*"]),
        ("POLICY:CREATE", &["*"]),
    ];
    world.user("e", 2, allow, &[]).await;
    world
}

#[tokio::test]
async fn everybody_may_ask_about_themselves() {
    let world = world().await;
    world.enclave("f").await;
    world.register("e", 3, "User").await;
    for (number, privilege, policy) in [(1, 2, ""), (2, 3, "policy-2"), (3, 3, "")] {
        let mut client = world.member(number).await;
        let own = show(&mut client, "e", number).await.unwrap();
        assert_eq!((own.privilege, &*own.policy), (privilege, policy));
        assert_eq!(own.created_by, id(0).to_string());
        assert_eq!(
            show(&mut client, "f", number).await,
            Err(ApiError::NOT_ALLOWED)
        );
    }
    let mut user = world.member(3).await;
    assert_eq!(show(&mut user, "e", 2).await, Err(ApiError::NOT_ALLOWED));

    let mut root = world.root().await;
    for enclave in ["", "e", "f"] {
        let own = show(&mut root, enclave, 0).await.unwrap();
        assert_eq!((own.privilege, &*own.policy), (1, ""));
        assert_eq!(own.identity, id(0).to_string());
    }
    let other = show(&mut root, "", 1).await.unwrap_err();
    assert_eq!(other.status, 400);
    assert_eq!(
        show(&mut root, "f", 1).await,
        Err(ApiError::IDENTITY_NOT_FOUND)
    );
}

#[tokio::test]
async fn nobody_makes_a_sysadmin_or_registers_the_root() {
    let world = world().await;
    for (number, status) in [(0, 400), (1, 403), (2, 403)] {
        let mut client = world.member(number).await;
        assert_eq!(
            created(&mut client, &create(9, "SysAdmin", false)).await,
            status
        );
    }
    let mut root = world.root().await;
    assert_eq!(created(&mut root, &create(9, "", true)).await, 400);
    assert_eq!(created(&mut root, &create(0, "Admin", false)).await, 400);
    let mut admin = world.member(1).await;
    assert_ne!(created(&mut admin, &create(0, "User", false)).await, 200);
    assert!(
        world
            .store
            .state()
            .enclave("e")
            .unwrap()
            .identity(&id(0))
            .is_none()
    );
}

/// The state may have recorded another root than the one that the configuration names.
#[tokio::test]
async fn nobody_registers_the_root_of_the_configuration() {
    let world = world().await;
    let recorded = Operation::SetRoot { identity: id(50) };
    world.store.propose(recorded).await.unwrap();
    for number in [0, 1] {
        let mut client = world.member(number).await;
        for root in [0, 50] {
            let status = created(&mut client, &create(root, "User", false)).await;
            assert_eq!(status, 400, "{number} registers {root}");
        }
    }
}

#[tokio::test]
async fn a_user_makes_service_accounts_and_touches_no_others() {
    let world = world().await;
    let mut user = world.member(2).await;
    assert_eq!(created(&mut user, &create(9, "User", false)).await, 403);
    assert_eq!(created(&mut user, &create(9, "Admin", false)).await, 403);
    assert_eq!(created(&mut user, &create(9, "", true)).await, 200);
    assert_eq!(created(&mut user, &create(9, "", true)).await, 200);
    // Neither another identity nor itself.
    world.register("e", 3, "User").await;
    for number in [1, 2, 3] {
        assert_eq!(
            created(&mut user, &create(number, "", true)).await,
            403,
            "{number}"
        );
        assert_eq!(deleted(&mut user, number).await, 403, "{number}");
    }
    assert_eq!(assigned(&mut user, 2, "policy-2").await, 403);
    assert_eq!(deleted(&mut user, 9).await, 200);
    // What is not its own and what does not exist look alike.
    assert_eq!(deleted(&mut user, 9).await, 403);
}

#[tokio::test]
async fn a_service_account_has_the_rights_of_its_parent_at_that_moment() {
    let world = world().await;
    let mut user = world.member(2).await;
    let mut admin = world.member(1).await;
    assert_eq!(created(&mut user, &create(9, "", true)).await, 200);
    assert_eq!(created(&mut admin, &create(8, "Admin", true)).await, 200);

    let mut of_user = world.member(9).await;
    let mut of_admin = world.member(8).await;
    assert_eq!(generates(&mut of_user).await, 200);
    assert_eq!(generates(&mut of_admin).await, 200);
    let shown = show(&mut of_user, "e", 9).await.unwrap();
    assert!(shown.is_service_account && shown.policy.is_empty());
    assert_eq!((shown.privilege, shown.created_by), (3, id(2).to_string()));
    let shown = show(&mut of_admin, "e", 8).await.unwrap();
    assert_eq!(shown.privilege, 2);
    let parent = show(&mut user, "e", 2).await.unwrap();
    assert_eq!(parent.service_accounts, [id(9).to_string()]);

    // No children, no policy.
    assert_ne!(created(&mut of_user, &create(7, "", true)).await, 200);
    let mut root = world.root().await;
    assert_eq!(assigned(&mut root, 9, "policy-2").await, 400);
    assert_eq!(assigned(&mut root, 1, "policy-2").await, 400);

    assert_eq!(assigned(&mut root, 2, "").await, 200);
    assert_eq!(generates(&mut of_user).await, 403);
    // It goes with its parent.
    assert_eq!(deleted(&mut root, 2).await, 200);
    let missing = show(&mut root, "e", 9).await.unwrap_err();
    assert_eq!(missing, ApiError::IDENTITY_NOT_FOUND);
    assert_eq!(generates(&mut of_user).await, 403);
}

#[tokio::test]
async fn an_identity_in_several_enclaves_is_another_one_in_each() {
    let world = world().await;
    world.enclave("f").await;
    world.register("e", 4, "Admin").await;
    world.register("f", 4, "User").await;
    let mut client = world.member(4).await;
    let list = ListRequest::default();
    assert_eq!(client.ask("e", Command::ListKeys, &list).await.status, 200);
    let answer = client.ask("f", Command::ListKeys, &list).await;
    answer.is(&ApiError::NOT_ALLOWED);
    // Removed from one it is unknown there, and known in the other.
    let mut root = world.root().await;
    assert_eq!(deleted(&mut root, 4).await, 200);
    let answer = client.ask("e", Command::ListKeys, &list).await;
    answer.is(&ApiError::NOT_ALLOWED);
    let answer = client.ask("none", Command::ListKeys, &list).await;
    answer.is(&ApiError::ENCLAVE_NOT_FOUND);
}

#[tokio::test]
async fn creating_again_overwrites_everything_but_service_accounts() {
    let world = world().await;
    let mut user = world.member(2).await;
    assert_eq!(created(&mut user, &create(9, "", true)).await, 200);
    let mut root = world.root().await;
    let mut again = create(2, "Admin", false);
    again.tags = [("team".to_owned(), "a".to_owned())].into();
    assert_eq!(created(&mut root, &again).await, 200);
    let shown = show(&mut root, "e", 2).await.unwrap();
    assert_eq!((shown.privilege, &*shown.policy), (2, ""));
    assert_eq!(shown.tags["team"], "a");
    assert_eq!(shown.service_accounts, [id(9).to_string()]);
    again.privilege = "User".into();
    assert_eq!(created(&mut root, &again).await, 200);
    assert_eq!(generates(&mut user).await, 403);
}
