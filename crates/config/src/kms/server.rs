//! The settings of a MinIO KMS server as a whole.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use keystead_identity::KmsIdentity;

use super::{ClusterConfig, HsmConfig, LogConfig, MetricsConfig, TlsConfig, hsm, identity};
use crate::{
    Environment, Error, Origin, Warning,
    read::{Reader, Section, UnknownKeys},
    text_file,
};

/// Everything the configuration file of a MinIO KMS server says, validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// The SysAdmin; without one the state says who it is.
    pub admin: Option<KmsIdentity>,
    /// How nodes work together.
    pub cluster: ClusterConfig,
    /// Server certificates.
    pub tls: TlsConfig,
    /// Error log and audit log.
    pub log: LogConfig,
    /// Who may read the metrics.
    pub metrics: MetricsConfig,
    /// What seals the root key, besides a software HSM.
    pub hsms: Vec<HsmConfig>,
}

/// A configuration with all that was noticed while reading it.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The settings.
    pub config: ServerConfig,
    /// What is odd but not wrong, in the order of the file.
    pub warnings: Vec<Warning>,
    /// The configuration file and every file and folder it refers to, for watching.
    pub files: Vec<PathBuf>,
    /// Where each value came from, by its path such as `tls.ca`.
    pub origins: BTreeMap<String, Origin>,
}

const VERSION_ADVICE: &str = "write 'version: v1'";

// === impl ServerConfig ===

impl ServerConfig {
    /// Reads a configuration file.
    ///
    /// Relative paths in it are relative to the working directory of the process, not to
    /// the file.
    ///
    /// # Errors
    ///
    /// [`Error::Unreadable`], or the first fault in the file.
    pub fn load(path: &Path, environment: &dyn Environment) -> Result<Loaded, Error> {
        let text = text_file::read(path).map_err(|cause| Error::Unreadable {
            path: path.to_owned(),
            cause: text_file::cause(&cause),
        })?;
        let file = path.display().to_string();
        let mut loaded = Self::parse(&text, &file, environment)?;
        loaded.files.insert(0, path.to_owned());
        Ok(loaded)
    }

    /// Reads the text of a configuration file; `file` is its name in messages.
    ///
    /// # Errors
    ///
    /// The first fault in the file.
    pub fn parse(text: &str, file: &str, environment: &dyn Environment) -> Result<Loaded, Error> {
        let unknown_keys = UnknownKeys::Refused(&hsm::SECTIONS);
        let reader = Reader::with(file, environment, unknown_keys);
        let document = reader.document(text)?;
        let config = reader.root(&document).read(Self::read);
        let (config, notes) = reader.finish(config)?;
        Ok(Loaded {
            config,
            warnings: notes.warnings,
            files: notes.files,
            origins: notes.origins,
        })
    }

    fn read(root: &Section<'_>) -> Result<Self, Error> {
        let version = version(root);
        let admin = root.section("admin", |admin| identity::read(admin, "identity"));
        let cluster = root.section("cluster", ClusterConfig::read);
        let tls = TlsConfig::read(root);
        let log = root.section("log", LogConfig::read);
        let metrics = root.section("metrics", MetricsConfig::read);
        let hsms = root.section("hsm", hsm::read);
        version?;
        Ok(Self {
            admin,
            cluster,
            tls: tls?,
            log,
            metrics,
            hsms: hsms?,
        })
    }
}

fn version(root: &Section<'_>) -> Result<(), Error> {
    let field = root.require(
        "version",
        root.literal("version"),
        "no config version specified",
        VERSION_ADVICE,
    )?;
    if field.value != "v1" {
        let message = format!("invalid config version '{}'", field.value);
        return Err(root.wrong(&field.place, message, VERSION_ADVICE));
    }
    Ok(())
}
