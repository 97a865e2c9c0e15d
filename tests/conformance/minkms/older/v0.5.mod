// The release of August 2024, for the build tag v0.5. See go.mod.
module keystead.test/conformance/minkms/older

go 1.26.0

replace (
	github.com/minio/kms-go/kms => github.com/minio/kms-go/kms v0.5.0
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
