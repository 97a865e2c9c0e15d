package conformance

import (
	"context"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/minio/kms-go/kes"

	"keystead.test/conformance/kestest"
	"keystead.test/conformance/overhttp"
)

func TestStatus(t *testing.T) {
	kestest.WithAdmin(t, func(t *testing.T, _ *kestest.Server, client *kes.Client) {
		ctx := t.Context()

		state, err := client.Status(ctx)
		must(t, err)
		if state.Version == "" || state.OS != runtime.GOOS || state.Arch != runtime.GOARCH ||
			state.CPUs < 1 || state.UsableCPUs < 1 || state.HeapAlloc == 0 {
			t.Fatalf("state: %+v", state)
		}
		if !state.KeyStoreReachable || !state.KeystoreAvailable || state.UpTime > time.Hour {
			t.Fatalf("state: %+v", state)
		}
		ready, err := client.IsReady(ctx)
		must(t, err)
		if !ready {
			t.Fatal("not ready")
		}
		version, err := client.Version(ctx)
		must(t, err)
		if version != state.Version {
			t.Fatalf("version %q, in the status %q", version, state.Version)
		}
	})
}

func TestListOfAPIs(t *testing.T) {
	overhttp.Both(t, func(t *testing.T, protocol overhttp.Protocol) {
		server := kestest.Start(t, kestest.Config{})
		apis, err := server.Client(t, protocol, server.Admin).APIs(t.Context())
		must(t, err)
		found := map[string]kes.API{}
		for _, api := range apis {
			found[api.Path] = api
		}
		for path, want := range map[string]kes.API{
			"/version":          {Method: "GET", Timeout: 10 * time.Second},
			"/v1/status":        {Method: "GET", Timeout: 15 * time.Second},
			"/v1/key/create/":   {Method: "PUT", Timeout: 15 * time.Second},
			"/v1/key/generate/": {Method: "PUT", MaxBody: 1_000_000, Timeout: 15 * time.Second},
			"/v1/key/list/":     {Method: "GET", Timeout: 15 * time.Second},
			"/v1/log/audit":     {Method: "GET"},
		} {
			want.Path = path
			if found[path] != want {
				t.Errorf("%s: %+v, want %+v", path, found[path], want)
			}
		}
	})
}

func TestMetrics(t *testing.T) {
	kestest.WithAdmin(t, func(t *testing.T, server *kestest.Server, client *kes.Client) {
		ctx := t.Context()
		before, err := client.Metrics(ctx)
		must(t, err)

		must(t, client.CreateKey(ctx, "my-key"))
		for range 4 {
			must(t, roundTrip(ctx, client))
		}
		wantError(t, client.CreateKey(ctx, "my-key"), kes.ErrKeyExists)
		broken := client.CreateKey(ctx, breakStore(t, server))
		wantStatus(t, broken, 502, "failed to create key")

		after, err := client.Metrics(ctx)
		must(t, err)
		ok, bad, failed := after.RequestOK-before.RequestOK, after.RequestErr-before.RequestErr, after.RequestFail-before.RequestFail
		if ok != 9 || bad != 1 || failed != 1 || after.RequestN() != before.RequestN()+11 {
			t.Fatalf("counted %d good, %d refused, %d failed requests", ok, bad, failed)
		}
		if len(after.LatencyHistogram) != 10 || after.LatencyHistogram[10*time.Second] < 11 {
			t.Fatalf("histogram: %v", after.LatencyHistogram)
		}
		if after.CPUs < 1 || after.UsableCPUs < 1 || after.Threads < 1 || after.HeapAlloc == 0 {
			t.Fatalf("metrics: %+v", after)
		}
		// The client drops fractions of a second.
		for deadline := time.Now().Add(10 * time.Second); after.UpTime == 0; after, err = client.Metrics(ctx) {
			must(t, err)
			if time.Now().After(deadline) {
				t.Fatalf("metrics: %+v", after)
			}
		}
	})
}

func TestAuditLog(t *testing.T) {
	overhttp.Both(t, func(t *testing.T, protocol overhttp.Protocol) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		server := kestest.Start(t, kestest.Config{})
		client := server.Client(t, protocol, server.Admin)
		stream, err := client.AuditLog(ctx)
		must(t, err)
		defer stream.Close()

		stranger := kestest.NewKey(t)
		must(t, client.CreateKey(ctx, "my-key"))
		wantError(t, server.Client(t, protocol, stranger).CreateKey(ctx, "my-key"), kes.ErrNotAllowed)

		for _, want := range []kes.AuditEvent{
			{APIPath: "/v1/key/create/my-key", ClientIdentity: server.Admin.Identity(), StatusCode: 200},
			{APIPath: "/v1/key/create/my-key", ClientIdentity: stranger.Identity(), StatusCode: 403},
		} {
			if !stream.Next() {
				t.Fatal("the stream ended")
			}
			event := stream.Event()
			if event.APIPath != want.APIPath || event.ClientIdentity != want.ClientIdentity || event.StatusCode != want.StatusCode {
				t.Fatalf("event: %+v, want %+v", event, want)
			}
			if !event.ClientIP.IsLoopback() || time.Since(event.Timestamp).Abs() > time.Minute {
				t.Fatalf("event: %+v", event)
			}
			if event.ResponseTime < time.Microsecond || event.ResponseTime > 15*time.Second {
				t.Fatalf("response time: %v", event.ResponseTime)
			}
		}
	})
}

func TestErrorLog(t *testing.T) {
	overhttp.Both(t, func(t *testing.T, protocol overhttp.Protocol) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		server := kestest.Start(t, kestest.Config{})
		client := server.Client(t, protocol, server.Admin)
		stream, err := client.ErrorLog(ctx)
		must(t, err)
		defer stream.Close()

		stranger := kestest.NewKey(t)
		wantError(t, server.Client(t, protocol, stranger).CreateKey(ctx, "my-key"), kes.ErrNotAllowed)
		for stream.Next() {
			message := stream.Event().Message
			if strings.Contains(message, stranger.Identity().String()) && strings.Contains(message, "/v1/key/create/my-key") {
				return
			}
		}
		t.Fatal("the refused request is not in the error log")
	})
}

// During an outage the document says more than the client knows. That makes no
// difference: the client refuses the document because of another member, as it does with
// the original server, and reads it if that one has the company that the client expects.
func TestStatusDuringOutage(t *testing.T) {
	server := kestest.Start(t, kestest.Config{})
	client := server.Client(t, overhttp.HTTP1, server.Admin)
	outage := kestest.NewOutage(t, &client.HTTPClient, server.Endpoint, func() { breakStore(t, server) })
	const refusal = "keystore is unreachable but not unavailable"
	if _, err := client.Status(t.Context()); err == nil || !strings.Contains(err.Error(), refusal) {
		t.Fatalf("got %v, want %q", err, refusal)
	}
	client = kes.NewClientWithConfig(outage.Server.URL, nil)
	client.HTTPClient.Transport = outage.Server.Client().Transport
	state, err := client.Status(t.Context())
	must(t, err)
	if state.Version == "" || state.UpTime == 0 || state.KeyStoreReachable || state.KeystoreAvailable {
		t.Fatalf("state: %+v", state)
	}
}

// breakStore replaces the folder of the key store by a file, for the rest of the
// test. It returns a key name nothing was asked about yet.
func breakStore(t *testing.T, server *kestest.Server) string {
	t.Helper()
	must(t, os.RemoveAll(server.Store))
	must(t, os.WriteFile(server.Store, nil, 0o600))
	return "never-seen"
}
