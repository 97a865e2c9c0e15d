package kestest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"keystead.test/conformance/expect"
)

// Outage is a time in which a server has no key store.
type Outage struct {
	// Server answers with the status of the server without key store, to which the flag is
	// added without which official clients refuse it.
	Server *httptest.Server
}

// NewOutage takes away the key store of a server and waits until its status says that it
// serves from its cache.
func NewOutage(t testing.TB, client *http.Client, endpoint string, begin func()) *Outage {
	t.Helper()
	begin()
	deadline := time.Now().Add(30 * time.Second)
	status := get(t, client, endpoint+"/v1/status")
	for !strings.Contains(status, `"serving_from_cache_since":"20`) {
		if time.Now().After(deadline) {
			t.Fatalf("status: %s", status)
		}
		time.Sleep(100 * time.Millisecond)
		status = get(t, client, endpoint+"/v1/status")
	}
	flag := `"keystore_unreachable":true,`
	accepted := strings.Replace(status, flag, flag+`"keystore_unavailable":true,`, 1)
	server := httptest.NewTLSServer(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		answer.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(answer, accepted)
	}))
	t.Cleanup(server.Close)
	return &Outage{Server: server}
}

func get(t testing.TB, client *http.Client, url string) string {
	t.Helper()
	response, err := client.Get(url)
	expect.Must(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	expect.Must(t, err)
	return string(body)
}
