//! The `minkms` program: MinIO KMS server and its command line.

mod audit;
mod backup;
mod client;
mod cluster;
mod crypt;
mod enclave;
mod env;
mod failure;
mod help;
mod hsm;
mod identity;
mod key;
mod local;
mod logs;
mod pages;
mod policy;
mod profile;
mod restore;
mod server;
mod stat;
mod table;
mod text;
mod when;
mod words;

pub(crate) use client::{api_key, connect, variable};

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::build::Build;
use crate::completion::Request;
use crate::output::{self, Output, OutputArgs};
use crate::usage::{self, Refusal};

/// Exit code of arguments that start no command.
const USAGE: u8 = 2;

/// Key management server for object storage and its command line
#[derive(Parser)]
#[command(
    name = "minkms",
    disable_help_subcommand = true,
    disable_version_flag = true,
    after_help = "\
Every command but 'server', 'identity', 'env', 'audit' and 'help' talks to the servers in
MINIO_KMS_SERVER, by default https://localhost:7373, with the API key in MINIO_KMS_API_KEY.
Commands on keys, policies and identities work in the enclave of MINIO_KMS_ENCLAVE."
)]
struct MinKms {
    /// Print version information
    #[arg(short, long)]
    version: bool,

    /// Generate the key of a software HSM
    #[arg(long)]
    soft_hsm: bool,

    /// Install shell completion for this shell
    #[arg(long)]
    auto_completion: bool,

    #[command(flatten)]
    output: OutputArgs,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Start a server
    Server(server::ServerArgs),

    /// Add a server to the cluster
    Add(cluster::AddArgs),
    /// Remove a server from the cluster
    Rm(cluster::RmArgs),
    /// List the servers of the cluster
    Ls(cluster::LsArgs),
    /// Show the state of the cluster
    Stat(stat::StatArgs),
    /// Repair the list of members on one server
    Edit(cluster::EditArgs),
    /// Write all keys, policies and identities to a file, encrypted
    Backup(backup::BackupArgs),
    /// Replace what a server knows by a backup
    Restore(restore::RestoreArgs),
    /// Restart servers
    Restart(cluster::RestartArgs),
    /// Print a server's error log
    Logs(logs::LogsArgs),
    /// Profile servers
    Pprof(profile::ProfileArgs),

    /// Seal the root key with an HSM
    #[command(alias = "add-hsms")]
    AddHsm(hsm::AddHsmArgs),
    /// Delete what an HSM has sealed
    RmHsm(hsm::RmHsmArgs),
    /// List HSMs
    #[command(alias = "ls-hsms")]
    LsHsm(hsm::LsHsmArgs),
    /// Replace the root key by a new one
    RotateRoot(hsm::RotateRootArgs),

    /// Create an enclave
    AddEnclave(enclave::AddEnclaveArgs),
    /// Delete enclaves with all that is in them
    #[command(alias = "rm-enclaves")]
    RmEnclave(enclave::RmEnclaveArgs),
    /// List enclaves
    #[command(alias = "ls-enclaves")]
    LsEnclave(enclave::LsEnclaveArgs),
    /// Describe enclaves
    StatEnclave(enclave::StatEnclaveArgs),

    /// Create, rotate or import a key
    AddKey(key::AddKeyArgs),
    /// Delete a version of a key, or all
    #[command(alias = "rm-keys")]
    RmKey(key::RmKeyArgs),
    /// List keys
    #[command(alias = "ls-keys")]
    LsKey(key::LsKeyArgs),
    /// Describe keys
    StatKey(key::StatKeyArgs),
    /// Generate a data encryption key
    Keygen(crypt::KeygenArgs),
    /// Decrypt what 'keygen' or an application has encrypted
    Decrypt(crypt::DecryptArgs),

    /// Create or replace a policy
    AddPolicy(policy::AddPolicyArgs),
    /// Delete policies
    #[command(alias = "rm-policies")]
    RmPolicy(policy::RmPolicyArgs),
    /// List policies
    #[command(alias = "ls-policies")]
    LsPolicy(policy::LsPolicyArgs),
    /// Print the rules of policies
    GetPolicy(policy::GetPolicyArgs),
    /// Describe policies
    StatPolicy(policy::StatPolicyArgs),
    /// Give an identity a policy
    SetPolicy(policy::SetPolicyArgs),

    /// Generate an API key, or compute an identity; asks no server
    Identity(local::IdentityArgs),
    /// Register an identity
    AddIdentity(identity::AddIdentityArgs),
    /// Delete identities with their service accounts
    #[command(alias = "rm-identities")]
    RmIdentity(identity::RmIdentityArgs),
    /// List identities
    #[command(alias = "ls-identities")]
    LsIdentity(identity::LsIdentityArgs),
    /// Describe identities, by default your own
    GetIdentity(identity::GetIdentityArgs),

    /// Work with audit logs
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Print the environment variables that matter
    Env(env::EnvArgs),
    /// Print help on a command, or on all
    Help(help::HelpArgs),
    /// Print a completion script for a shell
    Completion(pages::CompletionArgs),
    /// Write the manual pages to a folder
    Man(pages::ManArgs),
}

/// Runs the `minkms` program with `args`, its name first, and says how it is to exit: 0 if
/// it did what it should, 1 if not, 2 if the arguments are wrong.
pub fn minkms(args: impl IntoIterator<Item = OsString>, build: Build) -> ExitCode {
    let args = words::join(args.into_iter().collect());
    let json = args
        .iter()
        .any(|arg| arg == "--json" || arg == "--json=true");
    let result = match Request::from_environment() {
        Some(request) => request.answer::<MinKms>(),
        None => start(&args, build, json),
    };
    result.unwrap_or_else(|error| {
        failure::report(&error, json);
        ExitCode::FAILURE
    })
}

fn start(args: &[OsString], build: Build, json: bool) -> Result<ExitCode> {
    match usage::parse::<MinKms>(args) {
        Ok(minkms) => minkms.run(build),
        Err(Refusal::Help(help)) if is_help(args) => {
            output::print(&help)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(Refusal::Help(help)) => {
            output::note(&help);
            Ok(ExitCode::from(USAGE))
        }
        Err(Refusal::Wrong(message)) => {
            failure::report(&anyhow::Error::msg(message), json);
            Ok(ExitCode::from(USAGE))
        }
    }
}

/// Whether help was asked for, in place of something else having been forgotten.
fn is_help(args: &[OsString]) -> bool {
    args.iter().any(|arg| arg == "--help" || arg == "-h")
}

// === impl MinKms ===

impl MinKms {
    fn run(self, build: Build) -> Result<ExitCode> {
        let output = self.output.apply();
        if self.version {
            output::print(&match output.json {
                true => output::json_line(&build)?,
                false => build.version_block(),
            })?;
        } else if self.soft_hsm {
            return local::soft_hsm(output);
        } else if self.auto_completion {
            return crate::completion::install("minkms");
        } else if let Some(command) = self.command {
            return command.run(output, build);
        } else {
            output::note(&usage::help::<Self>(&[]));
            return Ok(ExitCode::from(USAGE));
        }
        Ok(ExitCode::SUCCESS)
    }
}

// === impl Command ===

impl Command {
    fn run(self, output: Output, build: Build) -> Result<ExitCode> {
        match self {
            Self::Server(args) => args.run(output, build),
            Self::Add(args) => args.run(),
            Self::Rm(args) => args.run(),
            Self::Ls(args) => args.run(output),
            Self::Stat(args) => args.run(output),
            Self::Edit(args) => args.run(),
            Self::Backup(args) => args.run(output),
            Self::Restore(args) => args.run(),
            Self::Restart(args) => args.run(),
            Self::Logs(args) => args.run(output),
            Self::Pprof(args) => args.run(output),
            Self::AddHsm(args) => args.run(),
            Self::RmHsm(args) => args.run(),
            Self::LsHsm(args) => args.run(output),
            Self::RotateRoot(args) => args.run(output),
            Self::AddEnclave(args) => args.run(),
            Self::RmEnclave(args) => args.run(),
            Self::LsEnclave(args) => args.run(output),
            Self::StatEnclave(args) => args.run(output),
            Self::AddKey(args) => args.run(),
            Self::RmKey(args) => args.run(),
            Self::LsKey(args) => args.run(output),
            Self::StatKey(args) => args.run(output),
            Self::Keygen(args) => args.run(output),
            Self::Decrypt(args) => args.run(output),
            Self::AddPolicy(args) => args.run(),
            Self::RmPolicy(args) => args.run(),
            Self::LsPolicy(args) => args.run(output),
            Self::GetPolicy(args) => args.run(output),
            Self::StatPolicy(args) => args.run(output),
            Self::SetPolicy(args) => args.run(),
            Self::Identity(args) => args.run(output),
            Self::AddIdentity(args) => args.run(output),
            Self::RmIdentity(args) => args.run(),
            Self::LsIdentity(args) => args.run(output),
            Self::GetIdentity(args) => args.run(output),
            Self::Audit(command) => command.run(output),
            Self::Env(args) => args.run(output),
            Self::Help(args) => args.run(),
            Self::Completion(args) => args.run(),
            Self::Man(args) => args.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_argument_tree_is_sound() {
        MinKms::command().debug_assert();
    }

    fn wrong(line: &str) -> String {
        let args: Vec<_> = line.split(' ').map(OsString::from).collect();
        match usage::parse::<MinKms>(&words::join(args)) {
            Err(Refusal::Wrong(message)) => message,
            Err(Refusal::Help(_)) => "help".to_owned(),
            Ok(_) => "accepted".to_owned(),
        }
    }

    #[test]
    fn the_commands_of_the_guides_are_taken() {
        for line in [
            "minkms add-enclave -k -a k1:key aistor-key-manager",
            "minkms add-identity -k -a k1:key --enclave aistor-key-manager --admin",
            "minkms add-key --enclave aistor-key-manager aistor-key-manager-hsm",
            "minkms add-key -k -e demo first-key",
            "minkms stat -k",
            "minkms stat --json",
            "minkms add enclave demo",
            "minkms policy add p file.json",
            "minkms ls-identities --id k1:key -e demo",
        ] {
            assert_eq!(wrong(line), "accepted", "{line}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(
            wrong("minkms add-enclave"),
            "missing <NAME>. See 'minkms add-enclave --help'"
        );
        assert_eq!(
            wrong("minkms add-policy p"),
            "missing <FILE>. See 'minkms add-policy --help'"
        );
    }

    proptest! {
        /// Any words, and words of the tree among them, are parsed or refused.
        #[test]
        fn no_arguments_cause_a_panic(
            words in prop::collection::vec("\\PC{0,8}|add-key|stat|ls|-[a-z]{1,3}|--[a-z=]{1,9}", 0..6),
        ) {
            let args = ["minkms".to_owned()].into_iter().chain(words).map(OsString::from);
            let args = words::join(args.collect());
            if let Err(Refusal::Wrong(message)) = usage::parse::<MinKms>(&args) {
                prop_assert!(message.contains(". See 'minkms"), "{}", message);
            }
        }
    }
}
