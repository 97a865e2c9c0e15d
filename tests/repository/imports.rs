//! The members of the workspace stand in `Cargo.toml` in import order: a crate may
//! use only crates listed below it.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

#[test]
fn every_import_points_down_the_list_of_members() -> Result<()> {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()?;
    let order = members(&metadata)?;
    let rank = |name: &str| order.iter().position(|member| member == name);
    let mut upward = Vec::new();
    for package in metadata.workspace_packages() {
        let own = rank(&package.name).with_context(|| format!("{} is no member", package.name))?;
        for dependency in &package.dependencies {
            // Tests may reach up: a client crate starts the server it talks to.
            if dependency.kind == DependencyKind::Development {
                continue;
            }
            if rank(&dependency.name).is_some_and(|other| other <= own) {
                upward.push(format!("{} imports {}", package.name, dependency.name));
            }
        }
    }
    ensure!(order.len() > 10, "the order was not read: {order:?}");
    ensure!(
        upward.is_empty(),
        "imports against the order in Cargo.toml: {upward:#?}"
    );
    Ok(())
}

/// Package names in the order of `workspace.members`, which `cargo metadata` does
/// not promise to keep.
fn members(metadata: &Metadata) -> Result<Vec<String>> {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml"))?;
    let (_, rest) = manifest.split_once("members = [").context("no members")?;
    let (list, _) = rest.split_once("\n]").context("members without an end")?;
    list.lines()
        .filter_map(|line| line.trim().strip_prefix('"')?.split('"').next())
        .map(|folder| {
            let path = root().join(folder).join("Cargo.toml");
            let mut packages = metadata.packages.iter();
            let package = packages.find(|package| package.manifest_path == path);
            let package = package.with_context(|| format!("no package in {folder}"))?;
            Ok(package.name.to_string())
        })
        .collect()
}

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}
