// The client that the last public object servers carry, of February 2025; v0.5.mod
// selects the release before it. Both replace the one that the parent module tests.
module keystead.test/conformance/minkms/older

go 1.26.0

replace (
	aead.dev/mtls => aead.dev/mtls v0.2.1
	github.com/minio/kms-go/kms => github.com/minio/kms-go/kms v0.5.1-0.20250225090116-4e64ce8d0f35
	keystead.test/conformance => ../../
)

require (
	aead.dev/mtls v0.4.0
	github.com/minio/kms-go/kms v0.7.0
	keystead.test/conformance v0.0.0-00010101000000-000000000000
)

require (
	aead.dev/mem v0.2.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)
