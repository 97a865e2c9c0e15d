//! `kes policy check`: what a server with this configuration would decide, and why.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use keystead_config::ProcessEnvironment;
use keystead_config::kes::{Overrides, ServerConfig};
use keystead_identity::Identity;
use keystead_policy::{PolicySet, Reason, spellings};
use keystead_wire_kes::{Auth, ENDPOINTS, Endpoint};
use serde::Serialize;

use crate::output::{self, Output};
use crate::style::{BAD, GOOD};
use crate::usage::see;

const COMMAND: &str = "kes policy check";

#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// The server's configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Decide for this identity
    #[arg(long, value_name = "ID")]
    identity: Option<Identity>,

    /// Decide for any identity with this policy
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,

    /// Request paths, such as /v1/key/create/my-key
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
}

/// One decision, explained.
#[derive(Debug, PartialEq, Serialize)]
struct Answer {
    path: String,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<String>,
    reason: String,
}

/// Decides as the server does: the endpoint first, then the policies.
struct Judge<'a> {
    config: &'a ServerConfig,
    policies: &'a PolicySet,
    identity: &'a Identity,
}

// === impl CheckArgs ===

impl CheckArgs {
    pub(crate) fn run(self, output: Output) -> Result<ExitCode> {
        let Some(file) = self.config else {
            bail!(see("no configuration file specified", COMMAND));
        };
        if self.paths.is_empty() {
            bail!(see("no path specified", COMMAND));
        }
        if let Some(path) = self.paths.iter().find(|path| !path.starts_with('/')) {
            bail!("invalid path '{path}': a request path starts with '/'");
        }
        let config = ServerConfig::load(&file, &ProcessEnvironment, &Overrides::default())?.config;
        let (policies, identity) = match (self.identity, self.policy) {
            (Some(identity), None) => (keystead_server_kes::policies(&config)?, identity),
            (None, Some(policy)) => alone(&config, &policy)?,
            (Some(_), Some(_)) => bail!("cannot use '--identity' and '--policy' at the same time"),
            (None, None) => bail!(see("no identity or policy specified", COMMAND)),
        };
        let judge = Judge {
            config: &config,
            policies: &policies,
            identity: &identity,
        };
        let answers: Vec<_> = self
            .paths
            .into_iter()
            .map(|path| judge.decide(path))
            .collect();
        let text = match output.json {
            true => output::json_line(&answers)?,
            false => answers.iter().map(Answer::line).collect(),
        };
        output::print(&text)?;
        Ok(match answers.iter().all(|answer| answer.allowed) {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        })
    }
}

/// The policy `name` by itself, with somebody who has it.
fn alone(config: &ServerConfig, name: &str) -> Result<(PolicySet, Identity)> {
    let Some(policy) = config.policies.get(name) else {
        bail!("policy '{name}' does not exist");
    };
    let member = Identity::from("member");
    let policies = PolicySet::new(Identity::from("disabled"));
    Ok((
        policies.with_policy(name, policy.rules.clone(), [member.clone()])?,
        member,
    ))
}

// === impl Judge ===

impl Judge<'_> {
    fn decide(&self, path: String) -> Answer {
        let open = |reason: &str| Answer {
            path: path.clone(),
            allowed: true,
            policy: None,
            pattern: None,
            reason: reason.to_owned(),
        };
        if self.config.api.get(&path).is_some_and(|api| api.skip_auth) {
            return open("the configuration opens the path to everybody");
        }
        match endpoint(&path).map(|endpoint| endpoint.auth) {
            Some(Auth::None) => return open("the path is open to everybody"),
            Some(Auth::Certificate) => return open("the path is open to every identity"),
            Some(Auth::Policy) | None => {}
        }
        let decision = self
            .policies
            .decide(Some(self.identity), spellings(&path).as_slice());
        let reason = decision.reason();
        let pattern = match reason {
            Reason::Rule { pattern, .. } => Some(pattern.to_string()),
            _ => None,
        };
        let allowed = decision.is_allowed();
        let policy = reason.policy().map(str::to_owned);
        let reason = reason.to_string();
        Answer {
            path,
            allowed,
            policy,
            pattern,
            reason,
        }
    }
}

fn endpoint(path: &str) -> Option<&'static Endpoint> {
    ENDPOINTS
        .iter()
        .find(|endpoint| match endpoint.has_resource() {
            true => path.starts_with(endpoint.path),
            false => path == endpoint.path,
        })
}

// === impl Answer ===

impl Answer {
    fn line(&self) -> String {
        let (style, word) = if self.allowed {
            (GOOD, "allowed")
        } else {
            (BAD, "denied")
        };
        format!(
            "{style}{word:<7}{style:#}  {}  {}\n",
            self.path, self.reason
        )
    }
}
