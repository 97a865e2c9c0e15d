//! Roles of KeyControl, faults, and interruptions.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use keystead_doubles::{
    Authority, Fault, KeyControl, KeyControlRole, KeyControlSettings, Server, Tls,
};
use keystead_tests::{Signal, Site};
use serde_json::Value;

use crate::{CHECK, outcomes, run, with_status};

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
