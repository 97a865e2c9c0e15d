//! `kes config check`: what it finds, and what has to be granted.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, ensure};
use keystead_doubles::{
    Authority, Fault, KeyControl, KeyControlRole, KeyControlSettings, OpenBao, Role, Server, Tls,
};
use keystead_tests::{Finished, Folder, Signal, Site};
use serde_json::{Value, json};

const CHECK: &str = "kes config check config.yml";

/// The checks of a key store in their order.
const ALL: [&str; 7] = [
    "configuration",
    "connect",
    "status",
    "create",
    "read",
    "list",
    "delete",
];

/// What a check printed, an object per line.
fn outcomes(done: &Finished) -> Result<Vec<Value>> {
    let lines = done.stdout.lines().map(serde_json::from_str);
    lines
        .collect::<Result<_, _>>()
        .with_context(|| format!("{done:?}"))
}

/// The checks with this status, without those of certificates.
fn with_status(outcomes: &[Value], status: &str) -> Vec<String> {
    let wanted = outcomes
        .iter()
        .filter(|outcome| outcome["status"] == status && outcome["check"] != "tls");
    wanted
        .filter_map(|outcome| outcome["check"].as_str().map(str::to_owned))
        .collect()
}

fn run(folder: &Folder, line: &str) -> Result<(i32, Vec<Value>)> {
    let done = folder.run(line)?;
    Ok((done.code, outcomes(&done)?))
}

fn keys(site: &Site) -> Result<usize> {
    Ok(fs::read_dir(site.folder.path().join("keys"))?.count())
}

#[test]
fn a_good_configuration_passes() -> Result<()> {
    let site = Site::new("cache: { expirey: 1m }\n")?;
    let (code, found) = run(&site.folder, CHECK)?;
    assert_eq!(
        (code, with_status(&found, "ok")),
        (0, ALL.map(str::to_owned).to_vec())
    );
    let warning = found[0]["message"].as_str().context("no message")?;
    assert!(
        warning.starts_with("config.yml:5:10: cache.expirey: "),
        "{warning}"
    );
    // Certificates of `kes identity new` are valid for 30 days.
    let tls: Vec<_> = found
        .iter()
        .filter(|found| found["check"] == "tls")
        .collect();
    assert_eq!(tls[0]["status"], "warning");
    let message = tls[1]["message"].as_str().context("no message")?;
    assert!(message.contains("is valid until 20"), "{message}");
    assert_eq!(keys(&site)?, 0, "the key is removed");

    let (code, found) = run(&site.folder, &format!("{CHECK} --read-only --json"))?;
    assert_eq!(code, 0);
    let expected = ["configuration", "connect", "status", "read", "list"];
    assert_eq!(with_status(&found, "ok"), expected);

    fs::remove_dir(site.folder.path().join("keys"))?;
    for flag in ["--offline", "--no-connect"] {
        let (code, found) = run(&site.folder, &format!("{CHECK} {flag}"))?;
        assert_eq!((code, with_status(&found, "ok").len()), (0, 1));
    }
    assert!(!site.folder.path().join("keys").exists());
    Ok(())
}

#[test]
fn faults_are_named_with_their_place() -> Result<()> {
    let site = Site::new("cache: { expiry: { any: -5s } }\n")?;
    let (code, found) = run(&site.folder, CHECK)?;
    assert_eq!((code, found.len()), (1, 1));
    let message = found[0]["message"].as_str().context("no message")?;
    assert_eq!(found[0]["status"], "failed");
    assert!(
        message.contains("\n  at config.yml:5:25, cache.expiry.any\n"),
        "{message}"
    );

    let site = Site::new("")?;
    fs::copy(
        site.folder.path().join("client.key"),
        site.folder.path().join("private.key"),
    )?;
    let (code, found) = run(&site.folder, &format!("{CHECK} --offline"))?;
    assert_eq!(code, 1);
    assert_eq!(
        found[1],
        json!({"check": "tls", "status": "failed",
               "message": "private key does not match the certificate"})
    );

    site.folder.write("file", "")?;
    let config = site.folder.read("config.yml")?;
    site.folder
        .write("config.yml", &config.replace("path: keys", "path: file"))?;
    let (code, found) = run(&site.folder, CHECK)?;
    assert_eq!(
        (code, with_status(&found, "failed")),
        (1, vec!["connect".to_owned()])
    );

    for (line, message) in [
        (
            "kes config check",
            "Error: no configuration file specified. See 'kes config check --help'\n",
        ),
        (
            "kes config check a b",
            "Error: too many arguments. See 'kes config check --help'\n",
        ),
    ] {
        let refused = site.folder.run(line)?;
        assert_eq!((refused.code, refused.stderr.as_str()), (1, message));
    }
    assert_eq!(site.folder.run("kes config")?.code, 2);
    Ok(())
}

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

/// An appliance, and a site that is configured for it.
struct World {
    appliance: KeyControl,
    node: Server,
    site: Site,
    _authority: Authority,
}

// === impl World ===

impl World {
    async fn new() -> Result<Self> {
        let settings = KeyControlSettings::default();
        let appliance = KeyControl::new(settings.clone());
        let authority = Authority::new()?;
        let node = appliance.node(1, &authority, Tls::On).await?;
        let site = Site::new("")?;
        site.keep_keys_in(&format!(
            "keystore:\n  entrust:\n    keycontrol:\n      endpoint: {}\n      vault_id: {}\n      \
             box_id: {}\n      credentials: {{ username: {}, password: '{}' }}\n      \
             tls: {{ ca: {} }}\n",
            node.url(),
            settings.vault_id,
            settings.box_name,
            settings.username,
            settings.password,
            authority.file().display(),
        ))?;
        Ok(Self {
            appliance,
            node,
            site,
            _authority: authority,
        })
    }

    /// The name of the key that was created last.
    fn probe(&self) -> Result<String> {
        let requests = self.node.journal().take();
        let create = requests
            .iter()
            .rfind(|request| request.uri().path().contains("CreateSecret"));
        let body: Value = serde_json::from_slice(create.context("nothing created")?.body())?;
        Ok(body["name"].as_str().context("no name")?.to_owned())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_of_keycontrol_are_named() -> Result<()> {
    let world = World::new().await?;
    let failures = |role: KeyControlRole| -> Result<BTreeMap<String, String>> {
        world.appliance.set(|settings| settings.role(role));
        let (_, found) = run(&world.site.folder, CHECK)?;
        let failed = found.iter().filter(|found| found["status"] == "failed");
        failed
            .map(|failure| {
                let check = failure["check"].as_str().context("no check")?;
                let text = failure["grant"]["text"].as_str().context("no grant")?;
                Ok((check.to_owned(), text.to_owned()))
            })
            .collect()
    };
    let box_admin = "role 'Vault Box Admin' (before KeyControl 10.0: 'Vault Admin') on the box \
                     'tenant-1', All Secrets";
    let user = "role 'Vault User' on the box 'tenant-1', All Secrets";
    assert_eq!(
        failures(KeyControlRole::VaultUser)?,
        [("create", box_admin), ("delete", box_admin)]
            .map(|(check, text)| (check.to_owned(), text.to_owned()))
            .into()
    );
    assert_eq!(
        failures(KeyControlRole::BoxAdmin)?,
        [("read".to_owned(), user.to_owned())].into()
    );
    assert!(world.appliance.secret_data(&world.probe()?).is_none());
    assert!(failures(KeyControlRole::VaultAdmin)?.is_empty());
    assert!(world.appliance.secret_data(&world.probe()?).is_none());

    world
        .appliance
        .set(|settings| settings.denied = ["DeleteSecret"].into());
    let (code, found) = run(&world.site.folder, CHECK)?;
    let probe = world.probe()?;
    assert_eq!(
        (
            code,
            found.last().context("nothing")?["left_behind"].as_str()
        ),
        (1, Some(&*probe))
    );
    assert!(world.appliance.secret_data(&probe).is_some());

    world
        .appliance
        .set(|settings| settings.denied = ["GetBox", "ListSecretIds"].into());
    let (code, found) = run(&world.site.folder, CHECK)?;
    assert_eq!(
        (code, with_status(&found, "failed")),
        (1, vec!["connect".to_owned()])
    );
    assert_eq!(found.last().context("nothing")?["grant"]["text"], user);

    world
        .appliance
        .set(|settings| settings.password = "an0ther".into());
    let done = world.site.folder.run(CHECK)?;
    let found = outcomes(&done)?;
    assert_eq!(with_status(&found, "failed"), ["connect"]);
    assert!(
        done.stdout
            .contains("login failed: Invalid username or password"),
        "{done:?}"
    );
    let password = KeyControlSettings::default().password;
    assert!(!(done.stdout + &done.stderr).contains(&password));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_is_interrupted_removes_its_key() -> Result<()> {
    let world = World::new().await?;
    for signal in [Signal::INT, Signal::TERM] {
        let silent = Fault::Hang;
        world
            .node
            .faults()
            .plan(usize::MAX, "ListSecretIds", silent);
        let check = world.site.folder.start(CHECK)?;
        check.printed("\"read\"")?;
        check.send(signal)?;
        let end = check.finish()?;
        world.node.faults().clear();
        let probe = world.probe()?;
        let note = format!("Removing the key '{probe}'. Interrupt again to leave it behind.\n");
        assert_eq!((end.code, end.stderr), (1, note));
        assert!(
            world.appliance.secret_data(&probe).is_none(),
            "{probe} is left"
        );
    }

    // During the create itself, which may have happened.
    for fault in [Fault::Hang, Fault::LoseAnswer] {
        world.node.faults().plan(usize::MAX, "CreateSecret", fault);
        let check = world.site.folder.start(CHECK)?;
        check.printed("\"status\"")?;
        while world.node.journal().count("CreateSecret") == 0 {
            tokio::task::yield_now().await;
        }
        check.send(Signal::INT)?;
        let end = check.finish()?;
        assert_eq!(end.code, 1, "{end:?}");
        world.node.faults().clear();
        let probe = world.probe()?;
        assert!(
            world.appliance.secret_data(&probe).is_none(),
            "{probe} is left"
        );
    }

    // The name is told if it cannot be removed.
    world
        .node
        .faults()
        .plan(usize::MAX, "DeleteSecret", Fault::Hang);
    let check = world.site.folder.start(CHECK)?;
    check.printed("\"list\"")?;
    while world.node.journal().count("DeleteSecret") == 0 {
        tokio::task::yield_now().await;
    }
    for signal in [Signal::INT, Signal::TERM] {
        check.send(signal)?;
        if signal == Signal::INT {
            check.complained("Interrupt again")?;
        }
    }
    let end = check.finish()?;
    assert_eq!(end.code, 1);
    let note = format!(
        "the key '{}' may still be there: remove it\n",
        world.probe()?
    );
    assert_eq!(end.stderr, note);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_get_lost_leave_nothing_behind() -> Result<()> {
    let world = World::new().await?;
    for action in ["CreateSecret", "DeleteSecret", "CheckoutSecret"] {
        world.node.faults().plan(1, action, Fault::LoseAnswer);
        let done = world.site.folder.run(CHECK)?;
        assert_eq!(done.code, 0, "{action}: {done:?}");
        assert!(world.appliance.secret_data(&world.probe()?).is_none());
    }
    // Not one attempt comes through.
    world
        .node
        .faults()
        .plan(usize::MAX, "CreateSecret", Fault::Drop);
    let done = world.site.folder.run(CHECK)?;
    let found = outcomes(&done)?;
    assert_eq!(
        (done.code, with_status(&found, "failed")),
        (1, vec!["create".to_owned()])
    );
    Ok(())
}
