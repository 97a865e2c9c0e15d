// Package older drives the releases 0.1 and 0.2 of the former official client; the
// build tag v0.1, with the module file of that name, selects the older one.
package older

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/minio/kes-go"

	"keystead.test/conformance/expect"
	"keystead.test/conformance/kestest"
	"keystead.test/conformance/overhttp"
)

var (
	must      = expect.Must
	wantError = expect.Error
)

// keyCalls is what a client and an enclave of it offer in both releases.
type keyCalls interface {
	CreateKey(ctx context.Context, name string) error
	GenerateKey(ctx context.Context, name string, associated []byte) (kes.DEK, error)
	Encrypt(ctx context.Context, name string, plaintext, associated []byte) ([]byte, error)
	Decrypt(ctx context.Context, name string, ciphertext, associated []byte) ([]byte, error)
	DescribeKey(ctx context.Context, name string) (*kes.KeyInfo, error)
	DeleteKey(ctx context.Context, name string) error
}

func TestKeyLifeCycle(t *testing.T) {
	overKeys(t, func(t *testing.T, keys keyCalls) {
		ctx, associated := t.Context(), []byte("context")
		must(t, keys.CreateKey(ctx, "my-key"))
		wantError(t, keys.CreateKey(ctx, "my-key"), kes.ErrKeyExists)

		for _, associated := range [][]byte{nil, associated} {
			dek, err := keys.GenerateKey(ctx, "my-key", associated)
			must(t, err)
			if len(dek.Plaintext) != 32 {
				t.Fatalf("data key of %d bytes", len(dek.Plaintext))
			}
			wantPlaintext(t, keys, "my-key", dek.Ciphertext, associated, dek.Plaintext)
			_, err = keys.Decrypt(ctx, "my-key", dek.Ciphertext, []byte("other"))
			wantError(t, err, kes.ErrDecrypt)
		}
		for _, message := range [][]byte{{}, []byte("message"), bytes.Repeat([]byte{7}, 700_000)} {
			ciphertext, err := keys.Encrypt(ctx, "my-key", message, associated)
			must(t, err)
			wantPlaintext(t, keys, "my-key", ciphertext, associated, message)
		}

		must(t, keys.DeleteKey(ctx, "my-key"))
		wantError(t, keys.DeleteKey(ctx, "my-key"), kes.ErrKeyNotFound)
		_, err := keys.GenerateKey(ctx, "my-key", nil)
		wantError(t, err, kes.ErrKeyNotFound)
		_, err = keys.DescribeKey(ctx, "my-key")
		wantError(t, err, kes.ErrKeyNotFound)
	})
}

func TestImport(t *testing.T) {
	overKeys(t, func(t *testing.T, keys keyCalls) {
		ctx, key := t.Context(), bytes.Repeat([]byte{9}, 32)
		must(t, importKey(ctx, keys, "one", key))
		must(t, importKey(ctx, keys, "two", key))
		wantError(t, importKey(ctx, keys, "one", key), kes.ErrKeyExists)
		wantError(t, importKey(ctx, keys, "short", key[:16]),
			kes.NewError(http.StatusNotAcceptable, "invalid key size for 'AES256'"))

		// The same key material opens what the other name sealed.
		ciphertext, err := keys.Encrypt(ctx, "one", []byte("message"), nil)
		must(t, err)
		wantPlaintext(t, keys, "two", ciphertext, nil, []byte("message"))
	})
}

// The clients take the seconds of the uptime for nanoseconds.
func TestServerInformation(t *testing.T) {
	withAdmin(t, func(t *testing.T, _ server, client *kes.Client) {
		ctx := t.Context()
		version, err := client.Version(ctx)
		must(t, err)
		state, err := client.Status(ctx)
		must(t, err)
		if version == "" || state.Version != version || state.OS != runtime.GOOS || state.Arch != runtime.GOARCH ||
			state.CPUs < 1 || state.UsableCPUs < 1 || state.UpTime > time.Microsecond {
			t.Fatalf("version %q, state: %+v", version, state)
		}

		apis, err := client.APIs(ctx)
		must(t, err)
		found := map[string]kes.API{}
		for _, api := range apis {
			found[api.Path] = api
		}
		want := kes.API{Method: "PUT", Path: "/v1/key/generate/", MaxBody: 1_000_000, Timeout: 15 * time.Second}
		if found[want.Path] != want {
			t.Fatalf("APIs: %+v", apis)
		}

		must(t, client.CreateKey(ctx, "my-key"))
		wantError(t, client.CreateKey(ctx, "my-key"), kes.ErrKeyExists)
		metric, err := client.Metrics(ctx)
		must(t, err)
		if metric.RequestOK != 1 || metric.RequestErr != 1 || metric.RequestN() != 2 ||
			metric.CPUs < 1 || metric.HeapAlloc == 0 || len(metric.LatencyHistogram) != 10 {
			t.Fatalf("metrics: %+v", metric)
		}
	})
}

// That the document says more during an outage than the clients know makes no difference.
func TestStatusDuringOutage(t *testing.T) {
	started := server{kestest.Start(t, kestest.Config{}), overhttp.HTTP1}
	admin, err := kes.ParseAPIKey(started.Admin.String())
	must(t, err)
	client := started.client(t, admin)
	var before error
	outage := kestest.NewOutage(t, &client.HTTPClient, started.Endpoint, func() {
		must(t, os.RemoveAll(started.Store))
		must(t, os.WriteFile(started.Store, nil, 0o600))
		_, before = client.Status(t.Context())
	})
	_, after := client.Status(t.Context())
	if fmt.Sprint(before) != fmt.Sprint(after) {
		t.Fatalf("%v before the server had noticed, then %v", before, after)
	}
	client = kes.NewClientWithConfig(outage.Server.URL, nil)
	client.HTTPClient.Transport = outage.Server.Client().Transport
	state, err := client.Status(t.Context())
	must(t, err)
	if state.Version == "" || state.UpTime == 0 {
		t.Fatalf("state: %+v", state)
	}
}

func TestPoliciesAndIdentities(t *testing.T) {
	withAdmin(t, func(t *testing.T, server server, admin *kes.Client) {
		ctx, adminID := t.Context(), kes.Identity(server.Admin.Identity())
		policy, err := admin.DescribePolicy(ctx, "app")
		must(t, err)
		if policy.Name != "app" || policy.CreatedBy != adminID || policy.CreatedAt.IsZero() {
			t.Fatalf("policy: %+v", policy)
		}
		_, err = admin.DescribePolicy(ctx, "absent")
		wantError(t, err, kes.ErrPolicyNotFound)
		_, err = admin.GetPolicy(ctx, "absent")
		wantError(t, err, kes.ErrPolicyNotFound)

		info, err := admin.DescribeIdentity(ctx, application.Identity())
		must(t, err)
		if info.Policy != "app" || info.IsAdmin || info.CreatedBy != adminID {
			t.Fatalf("identity: %+v", info)
		}
		_, err = admin.DescribeIdentity(ctx, "absent")
		wantError(t, err, kes.ErrIdentityNotFound)

		info, _, err = admin.DescribeSelf(ctx)
		must(t, err)
		if info.Identity != adminID || !info.IsAdmin {
			t.Fatalf("admin: %+v", info)
		}
		_, _, err = server.client(t, newKey(t)).DescribeSelf(ctx)
		wantError(t, err, kes.ErrIdentityNotFound)

		client := server.client(t, application)
		must(t, client.CreateKey(ctx, "app-one"))
		wantError(t, client.CreateKey(ctx, "app-secret"), kes.ErrNotAllowed)
		wantError(t, client.DeleteKey(ctx, "app-one"), kes.ErrNotAllowed)
		_, err = client.Status(ctx)
		wantError(t, err, kes.ErrNotAllowed)
	})
}

func TestLogStreams(t *testing.T) {
	withAdmin(t, func(t *testing.T, server server, client *kes.Client) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		audit, err := client.AuditLog(ctx)
		must(t, err)
		defer audit.Close()
		failures, err := client.ErrorLog(ctx)
		must(t, err)
		defer failures.Close()

		key, path := newKey(t), "/v1/key/create/my-key"
		wantError(t, server.client(t, key).CreateKey(ctx, "my-key"), kes.ErrNotAllowed)

		for audit.Next() && audit.Event().ClientIdentity != key.Identity() {
		}
		event := audit.Event()
		if event.APIPath != path || event.StatusCode != http.StatusForbidden || !event.ClientIP.IsLoopback() ||
			time.Since(event.Timestamp).Abs() > time.Minute || event.ResponseTime < time.Microsecond {
			t.Fatalf("event: %+v", event)
		}
		for failures.Next() {
			if strings.Contains(failures.Message(), key.Identity().String()) && strings.Contains(failures.Message(), path) {
				return
			}
		}
		t.Fatal("the refused request is not in the error log")
	})
}

// What only servers with a state of their own offered is not found.
func TestCallsThatAreNotServed(t *testing.T) {
	withAdmin(t, func(t *testing.T, _ server, client *kes.Client) {
		ctx := t.Context()
		_, describedEnclave := client.DescribeEnclave(ctx, "tenant")
		_, describedSecret := client.DescribeSecret(ctx, "secret")
		_, _, read := client.ReadSecret(ctx, "secret")
		calls := map[string]error{
			"AssignPolicy":    client.AssignPolicy(ctx, "app", application.Identity()),
			"CreateSecret":    client.CreateSecret(ctx, "secret", []byte("value"), nil),
			"DeleteEnclave":   client.DeleteEnclave(ctx, "tenant"),
			"DeleteIdentity":  client.DeleteIdentity(ctx, application.Identity()),
			"DeletePolicy":    client.DeletePolicy(ctx, "app"),
			"DeleteSecret":    client.DeleteSecret(ctx, "secret"),
			"DescribeEnclave": describedEnclave,
			"DescribeSecret":  describedSecret,
			"ReadSecret":      read,
		}
		maps.Copy(calls, notServed(ctx, client))
		for name, err := range calls {
			var answer kes.Error
			if !errors.As(err, &answer) || answer.Status() != http.StatusNotFound {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// application is the key the policy `app` is for.
var application = func() kes.APIKey {
	key, err := kes.GenerateAPIKey(nil)
	if err != nil {
		panic(err)
	}
	return key
}()

// server is asked over one HTTP version.
type server struct {
	*kestest.Server
	protocol overhttp.Protocol
}

func (s server) client(t *testing.T, key kes.APIKey) *kes.Client {
	t.Helper()
	certificate, err := kes.GenerateCertificate(key)
	must(t, err)
	config := s.TLS(t, certificate)
	client := kes.NewClientWithConfig(s.Endpoint, config)
	client.HTTPClient.Transport = overhttp.Transport(t, s.protocol, config)
	return client
}

// withAdmin runs a test once per HTTP version, with a new server and its administrator.
func withAdmin(t *testing.T, test func(t *testing.T, server server, admin *kes.Client)) {
	t.Helper()
	overhttp.Both(t, func(t *testing.T, protocol overhttp.Protocol) {
		server := server{kestest.Start(t, kestest.Config{Policies: fmt.Sprintf(`  app:
    allow: [ "/v1/key/create/app-*" ]
    deny: [ "/v1/key/create/app-secret" ]
    identities: [ %s ]
`, application.Identity())}), protocol}
		admin, err := kes.ParseAPIKey(server.Admin.String())
		must(t, err)
		test(t, server, server.client(t, admin))
	})
}

// overKeys runs a test with an administrator, directly and in an enclave.
func overKeys(t *testing.T, test func(t *testing.T, keys keyCalls)) {
	t.Helper()
	t.Run("client", func(t *testing.T) {
		withAdmin(t, func(t *testing.T, _ server, admin *kes.Client) { test(t, admin) })
	})
	t.Run("enclave", func(t *testing.T) {
		withAdmin(t, func(t *testing.T, _ server, admin *kes.Client) { test(t, admin.Enclave("tenant")) })
	})
}

func newKey(t *testing.T) kes.APIKey {
	t.Helper()
	key, err := kes.GenerateAPIKey(nil)
	must(t, err)
	return key
}

func wantPlaintext(t *testing.T, keys keyCalls, name string, ciphertext, associated, want []byte) {
	t.Helper()
	plaintext, err := keys.Decrypt(t.Context(), name, ciphertext, associated)
	must(t, err)
	if !bytes.Equal(plaintext, want) {
		t.Fatalf("a message of %d bytes does not come back", len(want))
	}
}
