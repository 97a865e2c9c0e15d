package minkms

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"

	"github.com/minio/kms-go/kms"

	"keystead.test/conformance/kmstest"
)

func TestBackupIsRestoredElsewhere(t *testing.T) {
	withRoot(t, func(t *testing.T, source server, root *kms.Client) {
		ctx := t.Context()
		_, identity := source.user(t, &kms.CreatePolicyRequest{Name: "app", Allow: allowing("my-*", "KEY:GENERATE", "KEY:DECRYPT")})
		for _, rotate := range []bool{false, true} {
			must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "my-key", AddVersion: rotate}))
		}
		must(t, root.DeleteKey(ctx, enclave, &kms.DeleteKeyRequest{Name: "my-key"}))
		keys, err := root.GenerateKey(ctx, enclave, &kms.GenerateKeyRequest{Name: "my-key"})
		must(t, err)
		backup := read(t, root)
		for _, name := range []string{enclave, "my-key", "app", identity.String()} {
			if bytes.Contains(backup, []byte(name)) {
				t.Fatalf("the backup shows %q", name)
			}
		}

		var zipped bytes.Buffer
		writer := gzip.NewWriter(&zipped)
		_, err = writer.Write(backup)
		must(t, err)
		must(t, writer.Close())
		for form, content := range map[string][]byte{"plain": backup, "gzip": zipped.Bytes()} {
			t.Run(form, func(t *testing.T) {
				target := server{kmstest.Start(t, kmstest.Config{HSMKey: source.HSMKey}), source.protocol}
				must(t, target.root(t).WriteDB(ctx, &kms.WriteDBRequest{Host: target.Address, Body: bytes.NewReader(content)}))
				check := func() {
					t.Helper()
					restored := target.root(t)
					opens(t, restored, "my-key", 1, keys[0].Ciphertext, nil, keys[0].Plaintext)
					if got := identityOf(t, restored, identity); got.Policy != "app" {
						t.Fatalf("identity: %+v", got)
					}
				}
				check()
				target.Stop(t)
				target.Launch(t)
				check()
				// The number of the version that was deleted does not come back.
				must(t, target.root(t).CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "my-key", AddVersion: true}))
				status, err := target.root(t).KeyStatus(ctx, enclave, &kms.KeyStatusRequest{Name: "my-key"})
				must(t, err)
				if status[0].Version != 3 {
					t.Fatalf("status: %+v", status[0])
				}
			})
		}
	})
}

func read(t testing.TB, root *kms.Client) []byte {
	t.Helper()
	response, err := root.ReadDB(t.Context(), &kms.ReadDBRequest{})
	must(t, err)
	content, err := io.ReadAll(response)
	must(t, err)
	must(t, response.Close())
	return content
}

// What does not open leaves the server as it was.
func TestBackupsThatAreRefused(t *testing.T) {
	withRoot(t, func(t *testing.T, source server, root *kms.Client) {
		ctx := t.Context()
		must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "my-key"}))
		backup := read(t, root)
		flipped := bytes.Clone(backup)
		flipped[len(flipped)-1] ^= 1

		restore := func(to server, content []byte) error {
			return to.root(t).WriteDB(ctx, &kms.WriteDBRequest{Host: to.Address, Body: bytes.NewReader(content)})
		}
		fresh := server{kmstest.Start(t, kmstest.Config{HSMKey: source.HSMKey}), source.protocol}
		foreign := server{kmstest.Start(t, kmstest.Config{}), source.protocol}
		for form, err := range map[string]error{
			"nothing":         restore(fresh, nil),
			"something":       restore(fresh, []byte("not a backup")),
			"cut":             restore(fresh, backup[:len(backup)-20]),
			"flipped":         restore(fresh, flipped),
			"for another HSM": restore(foreign, backup),
			"over a state":    restore(source, backup),
		} {
			if host := kms.AsHostError(err); host == nil {
				t.Errorf("%s: %v", form, err)
			} else if answer, ok := host.Err.(kms.Error); !ok || answer.Code < 400 || answer.Err == "" {
				t.Errorf("%s: %v", form, err)
			}
		}
		for _, server := range []server{fresh, foreign} {
			_, err := server.root(t).EnclaveStatus(ctx, &kms.EnclaveStatusRequest{Name: enclave})
			wantError(t, err, kms.ErrEnclaveNotFound)
		}
		must(t, restore(fresh, backup))
		_, err := root.GenerateKey(ctx, enclave, &kms.GenerateKeyRequest{Name: "my-key"})
		must(t, err)
	})
}
