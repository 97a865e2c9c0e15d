package conformance

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/minio/kms-go/kes"

	"keystead.test/conformance/kestest"
	"keystead.test/conformance/overhttp"
)

// What object servers of 2019 to 2023 send, with clients from before the libraries that
// `older` drives: sized POST bodies, an enclave in the query or a header, imports with
// `bytes`, several ciphertexts at once.
func TestRequestsOfOlderClients(t *testing.T) {
	overhttp.Both(t, func(t *testing.T, protocol overhttp.Protocol) {
		server := kestest.Start(t, kestest.Config{})
		client := older{server.Client(t, protocol, server.Admin), server.Endpoint}
		key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{5}, 32))

		client.want(t, "/v1/key/create/my-key?enclave=default", "", 200, "")
		client.want(t, "/v1/key/import/imported", fmt.Sprintf(`{"bytes":%q}`, key), 200, "")
		client.want(t, "/v1/key/create/my-key", "", 400, "{\"message\":\"key already exists\"\n}")

		var dek struct{ Plaintext, Ciphertext string }
		answer := client.want(t, "/v1/key/generate/imported", `{"context":"Y29udGV4dA=="}`, 200, "{")
		must(t, json.Unmarshal(answer, &dek))
		item := fmt.Sprintf(`{"ciphertext":%q,"context":"Y29udGV4dA=="}`, dek.Ciphertext)
		plaintext := fmt.Sprintf(`{"plaintext":%q}`, dek.Plaintext)
		client.want(t, "/v1/key/decrypt/imported", item, 200, plaintext)
		client.want(t, "/v1/key/bulk/decrypt/imported", "["+item+","+item+"]", 200, "["+plaintext+","+plaintext+"]")
		client.want(t, "/v1/key/bulk/decrypt/my-key", "["+item+"]", 400, `{"message":"decryption failed`)
	})
}

func TestHistoricErrorTexts(t *testing.T) {
	stranger := kestest.NewKey(t)
	server := kestest.Start(t, kestest.Config{Rest: "compat:\n  historic_errors: true\n"})
	client := older{server.Client(t, overhttp.HTTP1, server.Admin), server.Endpoint}
	client.want(t, "/v1/key/create/my-key", "", 200, "")
	client.want(t, "/v1/key/create/my-key", "", 400, `{"message":"key does already exist"`)
	refused := older{server.Client(t, overhttp.HTTP1, stranger), server.Endpoint}
	refused.want(t, "/v1/key/create/my-key", "", 403, `{"message":"prohibited by policy"`)

	// The client of today takes the old texts for the new errors.
	official := server.Client(t, overhttp.HTTP1, server.Admin)
	wantError(t, official.CreateKey(t.Context(), "my-key"), kes.ErrKeyExists)
	official = server.Client(t, overhttp.HTTP1, stranger)
	wantError(t, official.CreateKey(t.Context(), "my-key"), kes.ErrNotAllowed)
}

// older posts by hand over the connections of an official client.
type older struct {
	client   *kes.Client
	endpoint string
}

// want posts a sized body and compares the status and the begin of the answer.
func (o older) want(t *testing.T, path, body string, status int, answer string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, o.endpoint+path, strings.NewReader(body))
	must(t, err)
	request.Header.Set("Kes-Enclave", "default")
	response, err := o.client.HTTPClient.Do(request)
	must(t, err)
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	must(t, err)
	if response.StatusCode != status || !strings.HasPrefix(string(got), answer) {
		t.Fatalf("%s: %d %s", path, response.StatusCode, got)
	}
	if response.ContentLength != int64(len(got)) {
		t.Fatalf("%s: no exact Content-Length", path)
	}
	if len(got) > 0 && response.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%s: %s", path, response.Header.Get("Content-Type"))
	}
	return got
}
