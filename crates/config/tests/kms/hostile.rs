use proptest::prelude::*;

use super::{complete, read};

proptest! {
    #[test]
    fn no_text_causes_a_panic(text in "\\PC{0,200}") {
        drop(read(&text, &[]));
        drop(read(&complete(&text), &[]));
    }

    #[test]
    fn no_structure_causes_a_panic(
        words in prop::collection::vec(
            "version|tls|certs|hsm|minio|minkms|vault|log|audit|on|[\\[\\]{}:,\\- \n]{1,3}",
            0..40,
        ),
    ) {
        drop(read(&words.concat(), &[]));
        drop(read(&complete(&words.join(" ")), &[]));
    }
}
