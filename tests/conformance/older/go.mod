// The client of 2023, before it moved to kms-go. Its two release lines share one
// module path: this file selects the second, v0.1.mod the first.
module keystead.test/conformance/older

go 1.26.0

require (
	github.com/minio/kes-go v0.2.1
	keystead.test/conformance v0.0.0
)

require (
	aead.dev/mem v0.2.0 // indirect
	github.com/minio/kms-go/kes v0.3.1 // indirect
	github.com/prometheus/client_model v0.6.0 // indirect
	github.com/prometheus/common v0.51.1 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

replace keystead.test/conformance => ../
