// Package minkms drives the minkms binary with the official client, over both HTTP
// versions.
package minkms

import (
	"crypto/tls"
	"net/http"
	"testing"
	"time"

	"aead.dev/mtls"
	"github.com/minio/kms-go/kms"

	"keystead.test/conformance/expect"
	"keystead.test/conformance/kmstest"
	"keystead.test/conformance/overhttp"
)

var (
	must      = expect.Must
	wantError = expect.Error
)

// enclave is where most tests work.
const enclave = "tenant-1"

// wantAnswer compares status and text of an answer that is no error of the client's list.
func wantAnswer(t testing.TB, err error, status int, message string) {
	t.Helper()
	wantError(t, err, kms.Error{Code: status, Err: message})
}

// wantStatus compares the status of an answer whose text is free.
func wantStatus(t testing.TB, err error, status int) {
	t.Helper()
	if host := kms.AsHostError(err); host != nil {
		if answer, ok := host.Err.(kms.Error); ok && answer.Status() == status && answer.Err != "" {
			return
		}
	}
	t.Fatalf("got %v, want status %d", err, status)
}

// withRoot runs a test once per HTTP version, with a new server that has one enclave, and
// a client of its root.
func withRoot(t *testing.T, test func(t *testing.T, server server, root *kms.Client)) {
	t.Helper()
	overhttp.Both(t, func(t *testing.T, protocol overhttp.Protocol) {
		server := start(t, protocol)
		test(t, server, server.root(t))
	})
}

// server is a server whose clients speak one HTTP version.
type server struct {
	*kmstest.Server
	protocol overhttp.Protocol
}

// start starts a server with one enclave.
func start(t testing.TB, protocol overhttp.Protocol) server {
	t.Helper()
	server := server{kmstest.Start(t, kmstest.Config{}), protocol}
	must(t, server.root(t).CreateEnclave(t.Context(), &kms.CreateEnclaveRequest{Name: enclave}))
	return server
}

// rootKey is the API key that the server printed.
func (s server) rootKey(t testing.TB) *mtls.PrivateKey {
	t.Helper()
	key, err := mtls.ParsePrivateKey(s.Root)
	must(t, err)
	return key
}

// root is a client of the root.
func (s server) root(t testing.TB) *kms.Client {
	t.Helper()
	return s.client(t, s.rootKey(t))
}

// client authenticates with the certificate that the client library makes of a key.
func (s server) client(t testing.TB, key mtls.Signer) *kms.Client {
	t.Helper()
	certificate, err := kms.GenerateCertificate(key, nil)
	must(t, err)
	return s.clientWith(t, s.TLS(t, certificate))
}

// clientWith speaks over the given TLS configuration.
func (s server) clientWith(t testing.TB, config *tls.Config) *kms.Client {
	t.Helper()
	return s.clientOver(t, overhttp.Transport(t, s.protocol, config))
}

func (s server) clientOver(t testing.TB, transport http.RoundTripper) *kms.Client {
	t.Helper()
	client, err := kms.NewClient(&kms.Config{Endpoints: []string{s.Address}, Transport: transport})
	must(t, err)
	return client
}

// register makes a new identity in the enclave and a client of it.
func (s server) register(t testing.TB, privilege kms.Privilege) (*kms.Client, mtls.Identity) {
	t.Helper()
	key := newKey(t)
	must(t, s.root(t).CreateIdentity(t.Context(), enclave, &kms.CreateIdentityRequest{
		Identity:  key.Identity(),
		Privilege: privilege,
	}))
	return s.client(t, key), key.Identity()
}

// user makes a new identity with a policy of its own and a client of it.
func (s server) user(t testing.TB, policy *kms.CreatePolicyRequest) (*kms.Client, mtls.Identity) {
	t.Helper()
	client, identity := s.register(t, kms.User)
	root := s.root(t)
	must(t, root.CreatePolicy(t.Context(), enclave, policy))
	must(t, root.AssignPolicy(t.Context(), enclave, &kms.AssignPolicyRequest{Policy: policy.Name, Identity: identity}))
	return client, identity
}

func newKey(t testing.TB) *mtls.PrivateKey {
	t.Helper()
	key, err := mtls.GenerateKey()
	must(t, err)
	return key
}

// patterns is the rule set of these names.
func patterns(names ...string) kms.RuleSet {
	rules := kms.RuleSet{}
	for _, name := range names {
		rules[name] = kms.Rule{}
	}
	return rules
}

// recent fails the test unless a moment is between the start of the test and now.
func recent(t testing.TB, moment, begin time.Time) {
	t.Helper()
	if moment.Before(begin.Add(-time.Second)) || moment.After(time.Now().Add(time.Second)) {
		t.Fatalf("created at %v, the test began at %v", moment, begin)
	}
}
