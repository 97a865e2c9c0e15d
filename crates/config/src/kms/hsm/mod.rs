//! `hsm`: what seals the root key, one type per section.

mod keycontrol;
mod minkms;
mod pkcs11;
mod vault;

use crate::{Error, read::Section};

pub use self::keycontrol::{KeyControlFields, KeyControlHsmConfig};
pub use self::minkms::MinKmsHsmConfig;
pub use self::pkcs11::{Pkcs11HsmConfig, Pkcs11Mechanism, Pkcs11Slot};
pub use self::vault::{VaultHsmAuth, VaultHsmConfig};

/// An HSM. Each may be there once, and several may be there together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HsmConfig {
    /// `hsm.minio.minkms`
    MinKms(MinKmsHsmConfig),
    /// `hsm.hashicorp.vault`
    Vault(VaultHsmConfig),
    /// `hsm.openssf.openbao`
    OpenBao(VaultHsmConfig),
    /// `hsm.entrust.keycontrol`
    KeyControl(KeyControlHsmConfig),
    /// `hsm.pkcs11`
    Pkcs11(Pkcs11HsmConfig),
}

/// Sections that may be looked for in the wrong place.
pub(super) const SECTIONS: [&str; 5] = [
    "hsm.minio.minkms",
    "hsm.hashicorp.vault",
    "hsm.openssf.openbao",
    "hsm.entrust.keycontrol",
    "hsm.pkcs11",
];

impl HsmConfig {
    /// The name in commands, in `stat` and in the state (decision D6).
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::MinKms(_) => "hsm:minio:minkms",
            Self::Vault(_) => "hsm:hashicorp:vault",
            Self::OpenBao(_) => "hsm:openssf:openbao",
            Self::KeyControl(_) => "hsm:entrust:keycontrol",
            Self::Pkcs11(_) => "hsm:pkcs11",
        }
    }
}

pub(super) fn read(section: &Section<'_>) -> Result<Vec<HsmConfig>, Error> {
    let minkms = section.section("minio", |minio| {
        minio.optional("minkms", MinKmsHsmConfig::read)
    });
    let vault = section.section("hashicorp", |vendor| {
        vendor.optional("vault", VaultHsmConfig::read)
    });
    let old_vault = section.optional("vault", VaultHsmConfig::read);
    let openbao = section.section("openssf", |vendor| {
        vendor.optional("openbao", VaultHsmConfig::read)
    });
    let keycontrol = section.section("entrust", |vendor| {
        vendor.optional("keycontrol", KeyControlHsmConfig::read)
    });
    let pkcs11 = section.optional("pkcs11", Pkcs11HsmConfig::read);
    if old_vault.is_some() {
        let place = section.place_of("vault");
        if vault.is_some() {
            let message = "both 'hsm.vault' and 'hsm.hashicorp.vault' are specified".to_owned();
            return Err(section.wrong(&place, message, "remove 'hsm.vault'"));
        }
        section.warn(place, "old name of 'hsm.hashicorp.vault'; write that");
    }
    let all = [
        minkms.map(|hsm| hsm.map(HsmConfig::MinKms)),
        vault.or(old_vault).map(|hsm| hsm.map(HsmConfig::Vault)),
        openbao.map(|hsm| hsm.map(HsmConfig::OpenBao)),
        keycontrol.map(|hsm| hsm.map(HsmConfig::KeyControl)),
        pkcs11.map(|hsm| hsm.map(HsmConfig::Pkcs11)),
    ];
    all.into_iter().flatten().collect()
}
