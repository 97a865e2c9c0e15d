use keystead_config::kes::{EngineVersion, VaultConfig};
use keystead_doubles::{OpenBao, Role};

use super::{World, config, in_new_folders, open, transit};
use crate::contract;

/// The least-privilege policies of the documentation.
const POLICY: &str = r#"
path "kv1/*" { capabilities = ["create", "read", "delete", "list"] }
path "kv/data/*" { capabilities = ["create", "read"] }
path "kv/metadata/*" { capabilities = ["list", "delete"] }
path "transit/encrypt/kes" { capabilities = ["update"] }
path "transit/decrypt/kes" { capabilities = ["update"] }
"#;

#[tokio::test]
async fn a_double_of_kv2() {
    let world = World::new().await;
    contract::check(in_new_folders(world.config(EngineVersion::V2))).await;
}

#[tokio::test]
async fn a_double_of_kv2_under_a_transit_key() {
    let world = World::new().await;
    let config = world.config(EngineVersion::V2);
    let transit = transit();
    contract::check(in_new_folders(VaultConfig { transit, ..config })).await;
}

#[tokio::test]
async fn a_double_of_kv1() {
    let world = World::new().await;
    // Its check and its write are one step, as long as the policy forbids updates.
    contract::check(in_new_folders(world.config(EngineVersion::V1))).await;
    world.vault.set(|settings| settings.may_update = true);
    let mut config = world.config(EngineVersion::V1);
    config.prefix = "updatable".to_owned();
    contract::check_all_but_races(in_new_folders(config)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn status_calls_of_a_double_leave_nothing_behind() {
    contract::stays_flat(&World::new().await.store().await).await;
}

#[tokio::test]
async fn openbao() {
    let Some(bao) = OpenBao::development().await.unwrap() else {
        return;
    };
    bao.mount("minio").await.unwrap();
    let role = Role {
        namespace: "minio".to_owned(),
        life: ("token_period", 300),
        policy: POLICY.to_owned(),
    };
    let id = bao.role("kes-role", &role).await.unwrap();
    let secret = bao.secret("minio", "kes-role").await.unwrap();
    let in_folder = |version, prefix: &str| {
        let mut config = config(bao.url(), version, &id, &secret);
        config.namespace = Some("minio".to_owned());
        config.prefix = prefix.to_owned();
        let keystead_config::kes::VaultAuth::AppRole { login, .. } = &mut config.auth else {
            unreachable!("it is an AppRole");
        };
        login.namespace = config.namespace.clone();
        config
    };
    let v2 = in_folder(EngineVersion::V2, "keys");
    contract::check(in_new_folders(v2.clone())).await;
    contract::stays_flat(&open(&v2).await.unwrap()).await;
    let mut wrapped = in_folder(EngineVersion::V2, "wrapped");
    wrapped.transit = transit();
    contract::check(in_new_folders(wrapped)).await;
    let v1 = in_folder(EngineVersion::V1, "keys");
    contract::check_all_but_races(in_new_folders(v1)).await;
}
