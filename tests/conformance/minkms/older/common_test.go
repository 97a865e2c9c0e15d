// Package older drives older releases of the official client of MinIO KMS; the build tag
// v0.5, with the module file of that name, selects the oldest.
package older

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/minio/kms-go/kms"
	"github.com/minio/kms-go/kms/cmds"

	"keystead.test/conformance/expect"
	"keystead.test/conformance/kmstest"
	"keystead.test/conformance/overhttp"
)

var (
	must      = expect.Must
	wantError = expect.Error
)

const enclave = "tenant-1"

// withRoot runs a test once per HTTP version, with a new server that has one enclave.
func withRoot(t *testing.T, test func(t *testing.T, server *kmstest.Server, root *kms.Client)) {
	t.Helper()
	overhttp.Both(t, func(t *testing.T, protocol overhttp.Protocol) {
		// The client makes its own transport and asks for nothing but this.
		enabled := map[overhttp.Protocol]string{overhttp.HTTP1: "0", overhttp.HTTP2: "1"}
		t.Setenv("GODEBUG", "http2client="+enabled[protocol])
		server := kmstest.Start(t, kmstest.Config{})
		root := client(t, server, parseKey(t, server.Root))
		must(t, root.CreateEnclave(t.Context(), &kms.CreateEnclaveRequest{Name: enclave}))
		response, err := root.Send(t.Context(), &kms.Request{Body: []byte("\x00\x68\x00\x00\x00\x00")})
		must(t, err)
		response.Body.Close()
		if response.Proto != string(protocol) {
			t.Fatalf("answer over %s", response.Proto)
		}
		test(t, server, root)
	})
}

func client(t testing.TB, server *kmstest.Server, key apiKey) *kms.Client {
	t.Helper()
	client, err := kms.NewClient(&kms.Config{Endpoints: []string{server.Address}, APIKey: key, TLS: server.TLS(t)})
	must(t, err)
	return client
}

func TestStatus(t *testing.T) {
	withRoot(t, func(t *testing.T, server *kmstest.Server, root *kms.Client) {
		ctx := t.Context()
		versions, err := root.Version(ctx, &kms.VersionRequest{})
		must(t, err)
		if len(versions) != 1 || versions[0].APIVersion != "v1" || versions[0].Host != server.Address {
			t.Fatalf("versions: %+v", versions)
		}
		must(t, root.Live(ctx, &kms.LivenessRequest{}))
		must(t, root.Ready(ctx, &kms.ReadinessRequest{Write: true}))
		status, err := root.ClusterStatus(ctx, &kms.ClusterStatusRequest{})
		must(t, err)
		if len(status.NodesUp) != 1 || status.NodesUp[0].Host != server.Address || status.NodesUp[0].Role != "Leader" {
			t.Fatalf("status: %+v", status)
		}
	})
}

func TestKeys(t *testing.T) {
	withRoot(t, func(t *testing.T, _ *kmstest.Server, root *kms.Client) {
		ctx, associated := t.Context(), []byte("context")
		must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "my-key"}))
		wantError(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "my-key"}), kms.ErrKeyExists)
		must(t, root.ImportKey(ctx, enclave, &kms.ImportKeyRequest{Name: "imported", Type: kms.ChaCha20, Key: make([]byte, 32)}))
		for _, name := range []string{"my-key", "imported"} {
			keys, err := root.GenerateKey(ctx, enclave, &kms.GenerateKeyRequest{Name: name, AssociatedData: associated},
				&kms.GenerateKeyRequest{Name: name, AssociatedData: associated})
			must(t, err)
			must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: name, AddVersion: true}))
			for _, key := range keys {
				for _, version := range []int{0, 1} {
					opened, err := root.Decrypt(ctx, enclave, &kms.DecryptRequest{
						Name: name, Version: version, Ciphertext: key.Ciphertext, AssociatedData: associated,
					})
					must(t, err)
					if key.Version != 1 || !bytes.Equal(opened[0].Plaintext, key.Plaintext) {
						t.Fatalf("version %d: not the plaintext", version)
					}
				}
				_, err = root.Decrypt(ctx, enclave, &kms.DecryptRequest{Name: name, Version: 1, Ciphertext: key.Ciphertext})
				wantError(t, err, kms.ErrDecrypt)
			}
		}
		status, err := root.KeyStatus(ctx, enclave, &kms.KeyStatusRequest{Name: "imported"}, &kms.KeyStatusRequest{Name: "my-key"})
		must(t, err)
		if status[0].Type != kms.ChaCha20 || status[0].Version != 2 || status[1].Type != kms.AES256 {
			t.Fatalf("status: %+v %+v", status[0], status[1])
		}

		// These releases expect another command in the answer.
		_, err = root.Encrypt(ctx, enclave, &kms.EncryptRequest{Name: "my-key", Plaintext: []byte("message")})
		if answer := (kms.Error{}); err == nil || errors.As(err, &answer) {
			t.Fatalf("Encrypt: %v, want an answer that does not decode", err)
		}

		must(t, root.DeleteKey(ctx, enclave, &kms.DeleteKeyRequest{Name: "my-key", AllVersions: true}))
		_, err = root.GenerateKey(ctx, enclave, &kms.GenerateKeyRequest{Name: "my-key"})
		wantError(t, err, kms.ErrKeyNotFound)
		_, err = root.GenerateKey(ctx, "absent", &kms.GenerateKeyRequest{Name: "my-key"})
		wantError(t, err, kms.ErrEnclaveNotFound)
	})
}

func TestAccess(t *testing.T) {
	withRoot(t, func(t *testing.T, server *kmstest.Server, root *kms.Client) {
		ctx, key := t.Context(), newKey(t)
		must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "my-key"}))
		must(t, root.CreateIdentity(ctx, enclave, &kms.CreateIdentityRequest{Identity: key.Identity()}))
		policy := &kms.CreatePolicyRequest{
			Name:  "app",
			Allow: map[cmds.Command]kms.RuleSet{cmds.KeyGenerate: {"my-*": {}}, cmds.KeyImport: {"my-*": {}}},
			Deny:  map[cmds.Command]kms.RuleSet{cmds.KeyGenerate: {"my-secret": {}}},
		}
		must(t, root.CreatePolicy(ctx, enclave, policy))
		must(t, root.AssignPolicy(ctx, enclave, &kms.AssignPolicyRequest{Policy: "app", Identity: key.Identity()}))
		user := client(t, server, key)
		_, err := user.GenerateKey(ctx, enclave, &kms.GenerateKeyRequest{Name: "my-key"})
		must(t, err)
		_, err = user.GenerateKey(ctx, enclave, &kms.GenerateKeyRequest{Name: "my-secret"})
		wantError(t, err, kms.ErrPermission)
		must(t, user.ImportKey(ctx, enclave, &kms.ImportKeyRequest{Name: "my-own", Key: make([]byte, 32)}))

		policy.Allow = map[cmds.Command]kms.RuleSet{cmds.KeyGenerate: {"my-*": {}}}
		must(t, root.CreatePolicy(ctx, enclave, policy))
		got, err := root.GetPolicy(ctx, enclave, &kms.PolicyRequest{Name: "app"})
		must(t, err)
		if _, allowed := got[0].Allow[cmds.KeyGenerate]["my-*"]; !allowed || len(got[0].Deny) != 1 {
			t.Fatalf("policy: %+v", got[0])
		}
		identities, err := root.GetIdentity(ctx, enclave, &kms.IdentityRequest{Identity: key.Identity()})
		must(t, err)
		if identities[0].Identity != key.Identity() || identities[0].Policy != "app" || identities[0].Privilege != kms.User {
			t.Fatalf("identity: %+v", identities[0])
		}
		must(t, root.DeletePolicy(ctx, enclave, &kms.DeletePolicyRequest{Name: "app"}))
		must(t, root.DeleteIdentity(ctx, enclave, &kms.DeleteIdentityRequest{Identity: key.Identity()}))
		_, err = user.GenerateKey(ctx, enclave, &kms.GenerateKeyRequest{Name: "my-key"})
		wantError(t, err, kms.ErrPermission)
	})
}

func TestLists(t *testing.T) {
	withRoot(t, func(t *testing.T, _ *kmstest.Server, root *kms.Client) {
		ctx := t.Context()
		var names []string
		for i := range 100 {
			names = append(names, fmt.Sprintf("key-%02d", i))
			must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: names[i]}))
		}
		for _, limit := range []int{0, 7} {
			keys := kms.Iter[kms.KeyStatusResponse]{NextFn: root.ListKeys}
			var found []string
			item, err := keys.SeekTo(ctx, &kms.ListRequest{Enclave: enclave, Limit: limit})
			for ; err == nil; item, err = keys.Next(ctx) {
				found = append(found, item.Name)
			}
			if !errors.Is(err, io.EOF) || !slices.Equal(found, names) {
				t.Fatalf("limit %d: %d names, %v", limit, len(found), err)
			}
		}
		enclaves, err := root.ListEnclaves(ctx, &kms.ListRequest{})
		must(t, err)
		if len(enclaves.Items) != 1 || enclaves.Items[0].Name != enclave || enclaves.ContinueAt != "" {
			t.Fatalf("enclaves: %+v", enclaves)
		}
	})
}

func TestExactErrors(t *testing.T) {
	withRoot(t, func(t *testing.T, _ *kmstest.Server, root *kms.Client) {
		ctx := t.Context()
		wantError(t, root.CreateEnclave(ctx, &kms.CreateEnclaveRequest{Name: enclave}), kms.ErrEnclaveExists)
		wantError(t, root.DeleteEnclave(ctx, &kms.DeleteEnclaveRequest{Name: "absent"}), kms.ErrEnclaveNotFound)
		wantError(t, root.DeletePolicy(ctx, enclave, &kms.DeletePolicyRequest{Name: "absent"}), kms.ErrPolicyNotFound)
		wantError(t, root.DeleteIdentity(ctx, enclave, &kms.DeleteIdentityRequest{Identity: newKey(t).Identity()}), kms.ErrIdentityNotFound)
		wantError(t, root.ImportKey(ctx, enclave, &kms.ImportKeyRequest{Name: "short", Key: make([]byte, 16)}),
			kms.Error{Code: http.StatusBadRequest, Err: "invalid key length"})
	})
}
