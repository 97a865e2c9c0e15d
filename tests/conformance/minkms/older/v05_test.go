//go:build v0.5

package older

import (
	"bytes"
	"io"
	"testing"

	"github.com/minio/kms-go/kms"

	"keystead.test/conformance/kmstest"
)

type apiKey = kms.APIKey

func parseKey(t testing.TB, text string) apiKey {
	t.Helper()
	key, err := kms.ParseAPIKey(text)
	must(t, err)
	return key
}

func newKey(t testing.TB) apiKey {
	t.Helper()
	key, err := kms.GenerateAPIKey(nil)
	must(t, err)
	return key
}

func TestBackup(t *testing.T) {
	withRoot(t, func(t *testing.T, _ *kmstest.Server, root *kms.Client) {
		response, err := root.ReadDB(t.Context())
		must(t, err)
		defer response.Close()
		content, err := io.ReadAll(response)
		must(t, err)
		if !bytes.HasPrefix(content, []byte("KSTDBAK1")) {
			t.Fatalf("no backup: %.20q", content)
		}
	})
}
