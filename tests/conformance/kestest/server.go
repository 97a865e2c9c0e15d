// Package kestest starts the kes binary for a test and makes official clients for it.
package kestest

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minio/kms-go/kes"

	"keystead.test/conformance/overhttp"
	"keystead.test/conformance/process"
)

// Config is what differs between the servers of the tests.
type Config struct {
	// Store is the folder of the file key store; empty means a new one.
	Store string
	// Policies is the text of the policy section, already indented.
	Policies string
	// Rest is appended to the configuration file.
	Rest string
}

// Server is a running kes server with a file key store.
type Server struct {
	process.Server
	Endpoint string
	// Store is the folder of the file key store.
	Store string
	// File is the path of the configuration file.
	File string
	// Certificate is the path of the server's self-signed certificate.
	Certificate string
	// Admin is the API key with all rights.
	Admin kes.APIKey
}

// Binary is the path of the kes binary under test.
func Binary(t testing.TB) string {
	t.Helper()
	return process.Binary(t, "KEYSTEAD_KES")
}

// Start writes a configuration, starts a server with it and stops it with the test.
func Start(t testing.TB, config Config) *Server {
	t.Helper()
	folder := t.TempDir()
	admin := NewKey(t)
	server := &Server{
		Endpoint:    "https://" + process.FreeAddress(t),
		Store:       config.Store,
		File:        filepath.Join(folder, "config.yml"),
		Certificate: filepath.Join(folder, "server.crt"),
		Admin:       admin,
	}
	if server.Store == "" {
		server.Store = filepath.Join(folder, "keys")
	}
	key := filepath.Join(folder, "server.key")
	process.Run(t, nil, Binary(t), "identity", "new", "--key", key, "--cert", server.Certificate,
		"--ip", "127.0.0.1", "--dns", "localhost", "localhost")

	text := fmt.Sprintf(`version: v1
address: %s
admin:
  identity: %s
tls:
  key: %s
  cert: %s
policy:
%s
keystore:
  fs:
    path: %s
%s
`, strings.TrimPrefix(server.Endpoint, "https://"), admin.Identity(), key, server.Certificate,
		config.Policies, server.Store, config.Rest)
	if err := os.WriteFile(server.File, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	server.launch(t, "server", "--config", server.File)
	return server
}

// StartDev starts `kes server --dev`, with the admin key it prints.
func StartDev(t testing.TB) *Server {
	t.Helper()
	address := process.FreeAddress(t)
	server := &Server{Endpoint: "https://" + address}
	banner := server.launch(t, "server", "--dev", "--addr", address)
	key, err := kes.ParseAPIKey(process.APIKey(t, banner))
	if err != nil {
		t.Fatalf("printed API key: %v", err)
	}
	server.Admin = key
	return server
}

func (s *Server) launch(t testing.TB, arguments ...string) string {
	t.Helper()
	s.Server = process.Server{Name: "kes at " + s.Endpoint, Path: Binary(t), Arguments: arguments}
	banner := s.Launch(t)
	t.Cleanup(func() { s.Stop(t) })
	return banner
}

// TLS is a client configuration that trusts the server and presents certificates.
func (s *Server) TLS(t testing.TB, certificates ...tls.Certificate) *tls.Config {
	t.Helper()
	config := &tls.Config{Certificates: certificates, MinVersion: tls.VersionTLS12}
	if s.Certificate == "" {
		config.InsecureSkipVerify = true
		return config
	}
	pem, err := os.ReadFile(s.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	config.RootCAs = x509.NewCertPool()
	config.RootCAs.AppendCertsFromPEM(pem)
	return config
}

// Client is the official client, authenticated by an API key.
func (s *Server) Client(t testing.TB, protocol overhttp.Protocol, key kes.APIKey) *kes.Client {
	t.Helper()
	certificate, err := kes.GenerateCertificate(key)
	if err != nil {
		t.Fatal(err)
	}
	return s.ClientWithConfig(t, protocol, s.TLS(t, certificate))
}

// ClientWithConfig is the official client over the given TLS configuration.
func (s *Server) ClientWithConfig(t testing.TB, protocol overhttp.Protocol, config *tls.Config) *kes.Client {
	t.Helper()
	client := kes.NewClientWithConfig(s.Endpoint, config)
	client.HTTPClient.Transport = overhttp.Transport(t, protocol, config)
	return client
}

// WithAdmin runs a test once per HTTP version, with a new server and its administrator.
func WithAdmin(t *testing.T, test func(t *testing.T, server *Server, client *kes.Client)) {
	t.Helper()
	overhttp.Both(t, func(t *testing.T, protocol overhttp.Protocol) {
		server := Start(t, Config{})
		test(t, server, server.Client(t, protocol, server.Admin))
	})
}

// NewKey is a random API key.
func NewKey(t testing.TB) kes.APIKey {
	t.Helper()
	key, err := kes.GenerateAPIKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
