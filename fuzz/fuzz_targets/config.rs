//! Configuration files: every fault has a text, and so has every warning.
#![no_main]

use keystead_config::kes::{Overrides, ServerConfig};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let environment = |name: &str| (name == "SET").then(|| "value".to_owned());
    match ServerConfig::parse(text, "config.yml", &environment, &Overrides::default()) {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                assert!(!warning.to_string().is_empty());
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
