//! Configurations with the keys and the structure of the published KeyControl guide.

/// The whole file, with a `keystore` section that is indented as there.
#[must_use]
pub fn configuration(identity: &str, keystore: &str) -> String {
    format!(
        "address: 0.0.0.0:7373 # All interfaces

admin:
  identity: disabled  # No administrator
   
tls:
  key: private.key    # Made by `kes identity new`
  cert: public.crt
   
policy:
  my-app: 
    allow:
    - /v1/key/create/my-key*
    - /v1/key/generate/my-key*
    - /v1/key/decrypt/my-key*
    identities:
    - {identity} # The application
   
keystore:
{keystore}"
    )
}

/// The part below `keystore`: vault, box, name and password are empty in the guide.
#[must_use]
pub fn keycontrol(endpoint: &str, filled: [&str; 4]) -> String {
    let [vault_id, box_id, username, password] = filled;
    format!(
        r#"     entrust:
       keycontrol:
         endpoint: "{endpoint}"    # The appliance
         vault_id: "{vault_id}"    # The vault
         box_id:   "{box_id}"      # The box, by name or ID
         credentials:
           username: "{username}"  # The account
           password: "{password}"  # Its password
"#
    )
}
