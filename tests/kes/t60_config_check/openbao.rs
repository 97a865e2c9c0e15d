//! Policies of a real OpenBao.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use keystead_doubles::{OpenBao, Role};
use keystead_tests::Site;

use crate::{ALL, CHECK, outcomes, run, with_status};

/// The rules of a policy: path and capabilities.
type Rules = BTreeMap<&'static str, BTreeSet<&'static str>>;

fn hcl(rules: &Rules) -> String {
    let rule = |(path, capabilities): (&&str, &BTreeSet<&str>)| {
        let capabilities: Vec<_> = capabilities.iter().collect();
        format!("path {path:?} {{ capabilities = {capabilities:?} }}\n")
    };
    let granted = rules.iter().filter(|(_, rights)| !rights.is_empty());
    granted.map(rule).collect()
}

/// One right is missing at a time; what is printed is added to the policy as it stands.
#[tokio::test(flavor = "multi_thread")]
async fn the_printed_lines_grant_what_openbao_denies() -> Result<()> {
    let Some(bao) = OpenBao::development().await? else {
        return Ok(());
    };
    bao.mount("").await?;
    bao.mount("team").await?;
    let data = ["create", "read"];
    let metadata = ["list", "delete"];
    let v2: Rules = [
        ("kv/data/*", data.into()),
        ("kv/metadata/*", metadata.into()),
    ]
    .into();
    let v1: Rules = [("kv1/*", ["create", "read", "list", "delete"].into())].into();
    let mut with_transit = v2.clone();
    for path in ["transit/encrypt/kes", "transit/decrypt/kes"] {
        with_transit.insert(path, ["update"].into());
    }
    let from_root: Rules = [
        ("team/kv/data/*", data.into()),
        ("team/kv/metadata/*", metadata.into()),
    ]
    .into();
    let prefix = "    version: v2\n    prefix: keys\n";
    let mut missing = 0;
    for (section, login, rules) in [
        (prefix.to_owned(), "", &v2),
        ("    version: v2\n".to_owned(), "", &v2),
        (
            "    version: v1\n    engine: kv1\n    prefix: a/b\n".to_owned(),
            "",
            &v1,
        ),
        (
            format!("{prefix}    transit: {{ key: kes }}\n"),
            "",
            &with_transit,
        ),
        (format!("{prefix}    namespace: team\n"), "team", &v2),
        (format!("{prefix}    namespace: team\n"), "", &from_root),
    ] {
        for (path, capability) in rules
            .iter()
            .flat_map(|(path, rights)| rights.iter().map(move |right| (*path, *right)))
        {
            let mut lacking = rules.clone();
            lacking.entry(path).or_default().remove(capability);
            grants(&bao, &section, login, &lacking, (path, capability))
                .await
                .with_context(|| format!("{section} without {capability} on {path}"))?;
            missing += 1;
        }
    }
    println!("{missing} missing rights were found and granted as printed");
    Ok(())
}

/// Checks with `section`, logged in to namespace `login`, and adds to the policy what is
/// missing.
async fn grants(
    bao: &OpenBao,
    section: &str,
    login: &str,
    rules: &Rules,
    (path, capability): (&str, &str),
) -> Result<()> {
    let mut role = Role {
        namespace: login.to_owned(),
        life: ("token_period", 60),
        policy: hcl(rules),
    };
    let role_id = bao.role("kes-role", &role).await?;
    let secret_id = bao.secret(login, "kes-role").await?;
    let site = Site::new("")?;
    site.keep_keys_in(&format!(
        "keystore:\n  vault:\n    endpoint: {}\n{section}    \
         approle: {{ id: {role_id}, secret: {secret_id}, namespace: '{}' }}\n",
        bao.url(),
        if login.is_empty() { "/" } else { login },
    ))?;

    let denied = site.folder.run(CHECK)?;
    ensure!(denied.code == 1, "{denied:?}");
    ensure!(!(denied.stdout.clone() + &denied.stderr).contains(&secret_id));
    let found = outcomes(&denied)?;
    let failed = with_status(&found, "failed");
    let expected = match (path, capability) {
        ("transit/encrypt/kes", _) => "create",
        ("transit/decrypt/kes", _) => "read",
        (_, capability) => capability,
    };
    ensure!(failed == [expected], "{found:?}");
    let failure = found.iter().find(|found| found["status"] == "failed");
    let failure = failure.context("no failure")?;
    let message = failure["message"].as_str().context("no message")?;
    ensure!(message.contains("permission denied"), "{message}");
    let place = failure["grant"]["place"].as_str().context("no place")?;
    ensure!(place.contains("AppRole of 'auth/approle'"), "{place}");
    if capability == "delete" {
        let left = failure["left_behind"].as_str().context("no name")?;
        let prefix = section.split("prefix: ").nth(1);
        let prefix = prefix.and_then(|rest| rest.lines().next());
        let prefix = prefix.map_or(String::new(), |prefix| format!("{prefix}/"));
        let left = format!("{}{prefix}{left}", path.trim_end_matches('*'));
        bao.request("GET", login, &left, None).await?;
        bao.request("DELETE", login, &left, None).await?;
    }

    role.policy += failure["grant"]["text"].as_str().context("no text")?;
    bao.role("kes-role", &role).await?;
    let (code, found) = run(&site.folder, CHECK)?;
    ensure!(code == 0, "{}\n{found:?}", role.policy);
    ensure!(with_status(&found, "ok") == ALL, "{found:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_only_read_need_less_on_openbao() -> Result<()> {
    let Some(bao) = OpenBao::development().await? else {
        return Ok(());
    };
    bao.mount("").await?;
    let mut role = Role {
        namespace: String::new(),
        life: ("token_period", 60),
        policy: "path \"kv/*\" { capabilities = [\"deny\"] }\n".to_owned(),
    };
    let role_id = bao.role("kes-role", &role).await?;
    let secret_id = bao.secret("", "kes-role").await?;
    let site = Site::new("")?;
    site.keep_keys_in(&format!(
        "keystore:\n  vault:\n    endpoint: {}\n    version: v2\n    \
         approle: {{ id: {role_id}, secret: {secret_id} }}\n",
        bao.url(),
    ))?;
    let check = format!("{CHECK} --read-only");
    let (code, found) = run(&site.folder, &check)?;
    assert_eq!(
        (code, with_status(&found, "failed")),
        (1, vec!["read".into(), "list".into()])
    );
    for failure in found.iter().filter(|found| found["status"] == "failed") {
        role.policy += failure["grant"]["text"].as_str().context("no text")?;
        role.policy += "\n";
    }
    assert!(!role.policy.contains("create") && !role.policy.contains("delete"));
    bao.role("kes-role", &role).await?;
    assert_eq!(run(&site.folder, &check)?.0, 0);

    // A wrong secret is told in the store's own words.
    let config = site.folder.read("config.yml")?;
    site.folder
        .write("config.yml", &config.replace(&secret_id, "wr0ng-secret"))?;
    let wrong = site.folder.run(CHECK)?;
    assert_eq!(wrong.code, 1);
    assert!(
        wrong.stdout.contains("400: invalid role or secret ID"),
        "{wrong:?}"
    );
    assert!(!wrong.stdout.contains("wr0ng-secret"), "{wrong:?}");
    Ok(())
}
