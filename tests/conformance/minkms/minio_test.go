package minkms

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/minio/kms-go/kms"
	"github.com/minio/minio-go/v7/pkg/encrypt"

	"keystead.test/conformance/kestest"
	"keystead.test/conformance/kmstest"
	"keystead.test/conformance/objectserver"
	"keystead.test/conformance/overhttp"
	"keystead.test/conformance/process"
)

// What an object server needs: data keys for its objects, and the rest for its API.
func minioPolicy(pattern string) *kms.CreatePolicyRequest {
	return &kms.CreatePolicyRequest{
		Name:  "minio",
		Allow: allowing(pattern, "KEY:CREATE", "KEY:GENERATE", "KEY:DECRYPT", "KEY:LIST"),
	}
}

// environment is the settings of an object server.
func environment(server *kmstest.Server, apiKey, key string) []string {
	return []string{
		"MINIO_KMS_SERVER=" + server.Address,
		"MINIO_KMS_API_KEY=" + apiKey,
		"MINIO_KMS_ENCLAVE=" + enclave,
		"MINIO_KMS_SSE_KEY=" + key,
	}
}

// minioUser registers a new user with the rights of an object server; it returns its key.
func minioUser(t testing.TB, server server, pattern string) string {
	t.Helper()
	key, root := newKey(t), server.root(t)
	must(t, root.CreateIdentity(t.Context(), enclave, &kms.CreateIdentityRequest{Identity: key.Identity()}))
	must(t, root.CreatePolicy(t.Context(), enclave, minioPolicy(pattern)))
	must(t, root.AssignPolicy(t.Context(), enclave, &kms.AssignPolicyRequest{Policy: "minio", Identity: key.Identity()}))
	return key.String()
}

func TestObjectServerKeepsItsObjects(t *testing.T) {
	ctx := t.Context()
	server := start(t, overhttp.HTTP2)
	root := server.root(t)
	key := minioUser(t, server, "minio-*")
	must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "minio-other"}))
	store := objectserver.Start(t, server.Certificate, environment(server.Server, key, "minio-default")...)

	// The object server made its default key itself.
	status, err := root.KeyStatus(ctx, enclave, &kms.KeyStatusRequest{Name: "minio-default"})
	must(t, err)
	if status[0].Type != kms.AES256 || status[0].CreatedBy.IsZero() {
		t.Fatalf("default key: %+v", status[0])
	}
	objects := objectserver.MakeObjects(t, store, "minio-other")
	writePolicy(t, store)

	// Old objects open after rotations, new ones are sealed by the new version.
	for _, name := range []string{"minio-default", "minio-other"} {
		for range 2 {
			must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: name, AddVersion: true}))
		}
	}
	rotated := objectserver.Object{
		Bucket: "plain", Name: "rotated", Content: []byte("new"), Encryption: encrypt.NewSSE(), Algorithm: "AES256",
	}
	rotated.Put(t, ctx, store)
	objects = append(objects, rotated)
	objectserver.CheckAll(t, store, objects)

	server.Stop(t)
	if err := objects[0].Get(ctx, store); err == nil {
		t.Fatal("an object was opened without the key server")
	}
	store.Restart(t, func() { server.Launch(t) })
	objectserver.CheckAll(t, store, objects)
	checkPolicy(t, store)

	must(t, server.root(t).DeleteKey(ctx, enclave, &kms.DeleteKeyRequest{Name: "minio-other", AllVersions: true}))
	if err := objects[2].Get(ctx, store); err == nil {
		t.Fatal("an object was opened without its key")
	}
	objects[0].Check(t, ctx, store)
}

// writePolicy stores something that the object server seals for itself.
func writePolicy(t testing.TB, store *objectserver.Server) {
	t.Helper()
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::kept/*"]}]}`
	status, answer := store.Admin(t, http.MethodPut, "/minio/admin/v3/add-canned-policy", url.Values{"name": {"kept"}}, policy)
	if status != http.StatusOK {
		t.Fatalf("add-canned-policy: %d %s", status, answer)
	}
	checkPolicy(t, store)
}

// checkPolicy reads that, and what the object server says about its own start.
func checkPolicy(t testing.TB, store *objectserver.Server) {
	t.Helper()
	status, answer := store.Admin(t, http.MethodGet, "/minio/admin/v3/info-canned-policy", url.Values{"name": {"kept"}}, "")
	if status != http.StatusOK || !strings.Contains(answer, "arn:aws:s3:::kept/*") {
		t.Fatalf("info-canned-policy: %d %s", status, answer)
	}
	if log := store.Log(t); strings.Contains(log, "Unable to initialize config") || strings.Contains(log, "unable to write the IAM format") {
		t.Fatalf("the object server did not open its own data:\n%s", log)
	}
}

func TestObjectServerManagesKeys(t *testing.T) {
	server := start(t, overhttp.HTTP2)
	store := objectserver.Start(t, server.Certificate, environment(server.Server, minioUser(t, server, "minio-*"), "minio-default")...)
	api := func(method, call string, query url.Values) string {
		t.Helper()
		status, answer := store.Admin(t, method, "/minio/kms/v1/"+call, query, "")
		if status != http.StatusOK {
			t.Fatalf("%s: %d %s", call, status, answer)
		}
		return answer
	}
	api(http.MethodPost, "key/create", url.Values{"key-id": {"minio-made"}})
	status, answer := store.Admin(t, http.MethodPost, "/minio/kms/v1/key/create", url.Values{"key-id": {"minio-made"}}, "")
	if status == http.StatusOK || !strings.Contains(answer, "already exits") {
		t.Fatalf("a key was created twice: %d %s", status, answer)
	}
	status, answer = store.Admin(t, http.MethodPost, "/minio/kms/v1/key/create", url.Values{"key-id": {"other"}}, "")
	if status == http.StatusOK || !strings.Contains(answer, "insufficient permissions") {
		t.Fatalf("a key of others was created: %d %s", status, answer)
	}

	must(t, server.root(t).CreateKey(t.Context(), enclave, &kms.CreateKeyRequest{Name: "other"}))
	var keys []struct{ Name, CreatedBy string }
	must(t, json.Unmarshal([]byte(api(http.MethodGet, "key/list", url.Values{"pattern": {"*"}})), &keys))
	var names []string
	for _, key := range keys {
		names = append(names, key.Name)
		if !strings.HasPrefix(key.CreatedBy, "h1:") {
			t.Fatalf("keys: %+v", keys)
		}
	}
	if !slices.Equal(names, []string{"minio-default", "minio-made"}) {
		t.Fatalf("keys: %v", names)
	}
	for _, name := range []string{"minio-default", "minio-made"} {
		answer := api(http.MethodGet, "key/status", url.Values{"key-id": {name}})
		if strings.Contains(answer, "error") || !strings.Contains(answer, name) {
			t.Fatalf("key status: %s", answer)
		}
	}
	answer = api(http.MethodGet, "key/status", url.Values{"key-id": {"minio-absent"}})
	if !strings.Contains(answer, "key with given key ID does not exist") {
		t.Fatalf("key status: %s", answer)
	}
	answer = api(http.MethodGet, "status", nil)
	if !strings.Contains(answer, `"MinIO KMS"`) || !strings.Contains(answer, server.Address) || !strings.Contains(answer, `"online"`) {
		t.Fatalf("status: %s", answer)
	}
	if answer = api(http.MethodGet, "version", nil); !strings.Contains(answer, `"version":"2`) {
		t.Fatalf("version: %s", answer)
	}
}

// Nothing but the two commands for data keys is needed once the keys are there.
func TestObjectServerWithTheLeastRights(t *testing.T) {
	ctx := t.Context()
	server := start(t, overhttp.HTTP2)
	root, key := server.root(t), newKey(t)
	must(t, root.CreateIdentity(ctx, enclave, &kms.CreateIdentityRequest{Identity: key.Identity()}))
	must(t, root.CreatePolicy(ctx, enclave, &kms.CreatePolicyRequest{
		Name: "minio", Allow: allowing("minio-default", "KEY:GENERATE", "KEY:DECRYPT"),
	}))
	must(t, root.AssignPolicy(ctx, enclave, &kms.AssignPolicyRequest{Policy: "minio", Identity: key.Identity()}))
	must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "minio-default"}))
	store := objectserver.Start(t, server.Certificate, environment(server.Server, key.String(), "minio-default")...)
	objectserver.MakeObjects(t, store, "minio-default")
	writePolicy(t, store)

	// A mistyped enclave ends the start, with a reason.
	store.Stop(t)
	for i, setting := range store.KMS {
		if strings.HasPrefix(setting, "MINIO_KMS_ENCLAVE=") {
			store.KMS[i] = "MINIO_KMS_ENCLAVE=tenant-l"
		}
	}
	if log := store.Refuses(t); !strings.Contains(log, "enclave does not exist") {
		t.Fatalf("log: %s", log)
	}
}

// The way from KES: the keys move, the objects stay as they are.
func TestObjectServerMovesFromKES(t *testing.T) {
	old := kestest.Start(t, kestest.Config{})
	store := objectserver.Start(t, "",
		"MINIO_KMS_KES_ENDPOINT="+old.Endpoint,
		"MINIO_KMS_KES_API_KEY="+old.Admin.String(),
		"MINIO_KMS_KES_KEY_NAME=minio-default",
		"MINIO_KMS_KES_CAPATH="+old.Certificate)
	must(t, old.Client(t, overhttp.HTTP2, old.Admin).CreateKey(t.Context(), "minio-other"))
	objects := objectserver.MakeObjects(t, store, "minio-other")
	writePolicy(t, store)

	server := start(t, overhttp.HTTP2)
	store.Restart(t, func() {
		process.Run(t, []string{"MINIO_KMS_API_KEY=" + server.Root}, kestest.Binary(t),
			"migrate", "--from", old.File, "--server", server.Address, "--enclave", enclave, "-k")
		old.Stop(t)
		store.Trust(t, server.Certificate)
		store.KMS = environment(server.Server, minioUser(t, server, "minio-*"), "minio-default")
	})
	objectserver.CheckAll(t, store, objects)
	checkPolicy(t, store)

	// And on from there.
	must(t, server.root(t).CreateKey(t.Context(), enclave, &kms.CreateKeyRequest{Name: "minio-default", AddVersion: true}))
	objectserver.CheckAll(t, store, objects)
	moved := objectserver.Object{
		Bucket: "sse-s3", Name: "moved", Content: []byte("new"), Algorithm: "AES256",
	}
	moved.Put(t, t.Context(), store)
	moved.Check(t, t.Context(), store)
}

// The way from the key in the environment of the object server.
func TestObjectServerMovesFromItsOwnKey(t *testing.T) {
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{5}, 32))
	store := objectserver.Start(t, "", "MINIO_KMS_SECRET_KEY=my-minio-key:"+key)
	objects := objectserver.MakeObjects(t, store, "my-minio-key")
	writePolicy(t, store)

	server := start(t, overhttp.HTTP2)
	store.Restart(t, func() {
		server.Command(t, "add-key", "-k", "--enclave", enclave, "--import", key, "my-minio-key")
		store.Trust(t, server.Certificate)
		store.KMS = environment(server.Server, minioUser(t, server, "my-minio-key"), "my-minio-key")
	})
	objectserver.CheckAll(t, store, objects)
	checkPolicy(t, store)
	must(t, server.root(t).CreateKey(t.Context(), enclave, &kms.CreateKeyRequest{Name: "my-minio-key", AddVersion: true}))
	objectserver.CheckAll(t, store, objects)
}
