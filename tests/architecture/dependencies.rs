//! Dependencies point one way, and three libraries stay where they belong.

use std::{collections::BTreeMap, process::Command};

use serde_json::Value;

use crate::{
    finding::{Finding, assert_none},
    workspace,
};

/// Who may know whom inside the workspace. `ANY`: everybody.
const MAY_KNOW: [(&str, &[&str]); 11] = [
    ("prem-stats", &[]),
    ("prem-spec", &[]),
    ("prem-store", &["prem-spec"]),
    ("prem-ingest", &["prem-spec", "prem-store"]),
    ("prem-stages", &["prem-stats", "prem-spec", "prem-store"]),
    ("prem-protect", &["prem-spec", "prem-stats", "prem-store"]),
    ("prem-report", &["prem-spec", "prem-protect"]),
    ("prem-sample", &["prem-spec"]),
    ("prem", &[ANY]),
    ("prem-benches", &[ANY]),
    ("prem-tests", &[ANY]),
];
const ANY: &str = "*";
const FRAMES: &str = "polars";
const FRAMES_OWNER: &str = "prem-stages";
const KERNELS: &str = "prem-stats";
const TABLES: [&str; 2] = ["arrow", "parquet"];
/// The version that the rest of the field's Rust programs build on.
const TABLES_MAJOR: &str = "59";

#[derive(Debug)]
struct Dependency {
    package: String,
    /// Manifest, relative to the workspace.
    manifest: String,
    line: usize,
    name: String,
    requirement: String,
    /// Not for tests, benchmarks or build scripts alone.
    is_normal: bool,
}

fn is_of(library: &str, name: &str) -> bool {
    name == library || name.strip_prefix(library).is_some_and(|rest| rest.starts_with('-'))
}

fn check(dependencies: &[Dependency], packages: &[(String, String)]) -> Vec<Finding> {
    let allowed: BTreeMap<&str, &[&str]> = MAY_KNOW.into_iter().collect();
    let mut findings: Vec<Finding> = packages
        .iter()
        .filter(|(package, _)| !allowed.contains_key(package.as_str()))
        .map(|(package, manifest)| Finding {
            file: manifest.clone(),
            line: 1,
            what: format!("the package {package} has no place in the order of dependencies"),
            advice: "say whom it may know in ARCHITECTURE.md and in MAY_KNOW of this test",
        })
        .collect();
    let members: Vec<&str> = packages.iter().map(|(name, _)| name.as_str()).collect();
    for dependency in dependencies {
        let mut tell = |what: String, advice| {
            let Dependency { manifest, line, .. } = dependency;
            findings.push(Finding { file: manifest.clone(), line: *line, what, advice });
        };
        let Dependency { package, name, requirement, is_normal, .. } = dependency;
        let may_know = allowed.get(package.as_str()).copied().unwrap_or(&[ANY]);
        let knows_too_much = !may_know.contains(&ANY) && !may_know.contains(&name.as_str());
        if *is_normal && members.contains(&name.as_str()) && knows_too_much {
            let advice = "move what is shared down to a package that both may know, or up to `jobs`";
            tell(format!("{package} may not depend on {name}"), advice);
        }
        if is_of(FRAMES, name) && package != FRAMES_OWNER {
            tell(format!("{package} may not depend on {name}"), "frames live in pipeline/stages and nowhere else");
        }
        let is_table = TABLES.iter().any(|library| is_of(library, name));
        if is_table && package == KERNELS {
            tell(
                format!("{package} may not depend on {name}"),
                "kernels take slices; let a stage or the store read tables",
            );
        }
        if is_table && requirement.trim_start_matches(['^', '=', '~', ' ']).split('.').next() != Some(TABLES_MAJOR) {
            tell(
                format!("{name} {requirement}"),
                "arrow and parquet stay at 59.x, so that tables pass between programs",
            );
        }
    }
    findings
}

/// What `cargo metadata --no-deps` says of the workspace.
fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(workspace::root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}

/// Every dependency, and every package with its manifest.
fn read(metadata: &Value) -> (Vec<Dependency>, Vec<(String, String)>) {
    let word = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let root = word(metadata, "workspace_root");
    let (mut dependencies, mut packages) = (Vec::new(), Vec::new());
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let path = word(package, "manifest_path");
        let manifest = path.strip_prefix(&root).unwrap_or(&path).trim_start_matches(['/', '\\']).replace('\\', "/");
        let text = workspace::text(&manifest).unwrap_or_default();
        packages.push((word(package, "name"), manifest.clone()));
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let name = word(dependency, "name");
            let line = text.lines().position(|line| line.starts_with(&name)).map_or(1, |index| index + 1);
            dependencies.push(Dependency {
                package: word(package, "name"),
                manifest: manifest.clone(),
                line,
                requirement: word(dependency, "req"),
                is_normal: dependency["kind"].is_null(),
                name,
            });
        }
    }
    (dependencies, packages)
}

#[test]
fn dependencies_point_one_way() {
    let (dependencies, packages) = read(&metadata());
    assert!(packages.len() >= MAY_KNOW.len(), "cargo names {} packages only", packages.len());
    assert_none("Dependencies point one way.", check(&dependencies, &packages));
}

#[test]
fn a_wrong_dependency_is_found() {
    let dependency = |package: &str, name: &str, requirement: &str, is_normal| Dependency {
        package: package.to_owned(),
        manifest: format!("{package}/Cargo.toml"),
        line: 7,
        name: name.to_owned(),
        requirement: requirement.to_owned(),
        is_normal,
    };
    let packages: Vec<(String, String)> =
        MAY_KNOW.iter().map(|(name, _)| ((*name).to_owned(), format!("{name}/Cargo.toml"))).collect();
    let bad = [
        dependency("prem-stats", "prem-spec", "*", true),
        dependency("prem-report", "prem-store", "*", true),
        dependency("prem-store", "prem-ingest", "*", true),
        dependency("prem-ingest", "polars", "^0.55", true),
        dependency("prem", "polars-core", "^0.55", false),
        dependency("prem-stats", "arrow-array", "^59.3", true),
        dependency("prem-store", "parquet", "^60.0", true),
    ];
    for dependency in bad {
        let findings = check(std::slice::from_ref(&dependency), &packages);
        assert_eq!(findings.len(), 1, "{dependency:?}: {findings:?}");
        assert_eq!(findings[0].line, 7);
    }
    let good = [
        dependency("prem-report", "prem-store", "*", false),
        dependency("prem-stages", "polars", "^0.55.2", true),
        dependency("prem-store", "arrow", "^59.3", true),
        dependency("prem", "prem-stats", "*", true),
        dependency("prem-store", "parquetry", "^1", true),
    ];
    assert_eq!(check(&good, &packages), []);
    let stranger = [("prem-new".to_owned(), "new/Cargo.toml".to_owned())];
    assert_eq!(check(&[], &stranger).len(), 1);
}
