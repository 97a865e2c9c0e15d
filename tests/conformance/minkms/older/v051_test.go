//go:build !v0.5

package older

import (
	"maps"
	"testing"

	"aead.dev/mtls"
	"github.com/minio/kms-go/kms"

	"keystead.test/conformance/kmstest"
)

type apiKey = mtls.PrivateKey

func parseKey(t testing.TB, text string) apiKey {
	t.Helper()
	key, err := mtls.ParsePrivateKey(text)
	must(t, err)
	return key
}

func newKey(t testing.TB) apiKey {
	t.Helper()
	key, err := mtls.GenerateKeyEdDSA(nil)
	must(t, err)
	return key
}

func TestTags(t *testing.T) {
	withRoot(t, func(t *testing.T, _ *kmstest.Server, root *kms.Client) {
		identity, tags := newKey(t).Identity(), map[string]string{"team": "storage"}
		must(t, root.CreateIdentity(t.Context(), enclave, &kms.CreateIdentityRequest{Identity: identity, Tags: tags}))
		got, err := root.GetIdentity(t.Context(), enclave, &kms.IdentityRequest{Identity: identity})
		must(t, err)
		if !maps.Equal(got[0].Tags, tags) {
			t.Fatalf("identity: %+v", got[0])
		}
	})
}

func TestBackup(t *testing.T) {
	withRoot(t, func(t *testing.T, source *kmstest.Server, root *kms.Client) {
		response, err := root.ReadDB(t.Context(), &kms.ReadDBRequest{})
		must(t, err)
		defer response.Close()
		target := kmstest.Start(t, kmstest.Config{HSMKey: source.HSMKey})
		restored := client(t, target, parseKey(t, target.Root))
		must(t, restored.WriteDB(t.Context(), &kms.WriteDBRequest{Host: target.Address, Body: response}))
		_, err = restored.EnclaveStatus(t.Context(), &kms.EnclaveStatusRequest{Name: enclave})
		must(t, err)
	})
}
