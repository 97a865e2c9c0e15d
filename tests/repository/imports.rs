//! The members of the workspace stand in `Cargo.toml` in import order: a crate may
//! use only crates listed below it.

use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

#[test]
fn every_import_points_down_the_list_of_members() {
    let metadata = metadata();
    let order = members(&metadata);
    let rank = |name: &str| order.iter().position(|member| member == name);
    let mut upward = Vec::new();
    for package in metadata.workspace_packages() {
        let own = rank(&package.name).expect("a member of the workspace");
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
    assert!(
        upward.is_empty(),
        "imports against the order in Cargo.toml: {upward:#?}"
    );
    assert!(
        order.len() > 10,
        "the order was read from Cargo.toml: {order:?}"
    );
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .expect("cargo metadata")
}

/// Package names in the order of `workspace.members`, which `cargo metadata` does
/// not promise to keep.
fn members(metadata: &Metadata) -> Vec<String> {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let list = manifest
        .split("members = [")
        .nth(1)
        .and_then(|rest| rest.split("\n]").next());
    list.expect("workspace.members")
        .lines()
        .filter_map(|line| line.trim().strip_prefix('"')?.split('"').next())
        .map(|folder| {
            let path = root().join(folder).join("Cargo.toml");
            let package = metadata
                .packages
                .iter()
                .find(|package| package.manifest_path == path);
            package
                .unwrap_or_else(|| panic!("no package in {folder}"))
                .name
                .to_string()
        })
        .collect()
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
}
