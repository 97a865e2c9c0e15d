// Package kestest starts the kes binary for a test and makes official clients for it.
package kestest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/minio/kms-go/kes"
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
	Endpoint string
	// Store is the folder of the file key store.
	Store string
	// Certificate is the path of the server's self-signed certificate.
	Certificate string
	// Admin is the API key with all rights.
	Admin kes.APIKey

	arguments []string
	process   *exec.Cmd
}

// Binary is the path of the kes binary under test.
func Binary(t testing.TB) string {
	path := os.Getenv("KEYSTEAD_KES")
	if path == "" {
		t.Fatal("KEYSTEAD_KES is not set; run `./dev test`")
	}
	return path
}

// Start writes a configuration, starts a server with it and stops it with the test.
func Start(t testing.TB, config Config) *Server {
	t.Helper()
	folder := t.TempDir()
	admin := NewKey(t)
	server := &Server{
		Endpoint:    "https://" + FreeAddress(t),
		Store:       config.Store,
		Certificate: filepath.Join(folder, "server.crt"),
		Admin:       admin,
	}
	if server.Store == "" {
		server.Store = filepath.Join(folder, "keys")
	}
	key := filepath.Join(folder, "server.key")
	run(t, Binary(t), "identity", "new", "--key", key, "--cert", server.Certificate,
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
	file := filepath.Join(folder, "config.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	server.arguments = []string{"server", "--config", file}
	server.Launch(t)
	t.Cleanup(func() { server.Stop(t) })
	return server
}

// StartDev starts `kes server --dev`, with the admin key it prints.
func StartDev(t testing.TB) *Server {
	t.Helper()
	address := FreeAddress(t)
	server := &Server{
		Endpoint:  "https://" + address,
		arguments: []string{"server", "--dev", "--addr", address},
	}
	for line := range strings.SplitSeq(server.Launch(t), "\n") {
		if text, ok := strings.CutPrefix(line, "API Key"); ok {
			key, err := kes.ParseAPIKey(strings.TrimSpace(text))
			if err != nil {
				t.Fatalf("printed API key: %v", err)
			}
			server.Admin = key
		}
	}
	if server.Admin == nil {
		t.Fatal("no API key in the banner")
	}
	t.Cleanup(func() { server.Stop(t) })
	return server
}

// Launch starts the process again after Stop and returns its banner.
func (s *Server) Launch(t testing.TB) string {
	t.Helper()
	s.process = exec.Command(Binary(t), s.arguments...)
	stdout, err := s.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	log := &lockedBuffer{}
	s.process.Stderr = log
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("error log of %s:\n%s", s.Endpoint, log)
		}
	})

	banner := make(chan string, 1)
	go func() {
		var text strings.Builder
		ready := false
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if ready {
				continue
			}
			text.WriteString(lines.Text() + "\n")
			if ready = strings.Contains(lines.Text(), "up and running"); ready {
				banner <- text.String()
			}
		}
		close(banner)
	}()
	select {
	case text, ok := <-banner:
		if !ok {
			t.Fatalf("the server ended before it was ready:\n%s", log)
		}
		return text
	case <-time.After(30 * time.Second):
		t.Fatalf("the server is not ready after 30 s:\n%s", log)
	}
	return ""
}

// Stop ends the process and waits for it.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if s.process == nil {
		return
	}
	_ = s.process.Process.Signal(syscall.SIGTERM)
	if err := s.process.Wait(); err != nil {
		t.Errorf("kes server: %v", err)
	}
	s.process = nil
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
func (s *Server) Client(t testing.TB, protocol Protocol, key kes.APIKey) *kes.Client {
	t.Helper()
	certificate, err := kes.GenerateCertificate(key)
	if err != nil {
		t.Fatal(err)
	}
	return s.ClientWithConfig(t, protocol, s.TLS(t, certificate))
}

// ClientWithConfig is the official client over the given TLS configuration.
func (s *Server) ClientWithConfig(t testing.TB, protocol Protocol, config *tls.Config) *kes.Client {
	t.Helper()
	client := kes.NewClientWithConfig(s.Endpoint, config)
	client.HTTPClient.Transport = Transport(t, protocol, config)
	return client
}

// Transport sends requests over one HTTP version; another one in an answer fails the test.
func Transport(t testing.TB, protocol Protocol, config *tls.Config) http.RoundTripper {
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	if protocol == HTTP1 {
		transport.ForceAttemptHTTP2 = false
		transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	t.Cleanup(transport.CloseIdleConnections)
	return expect{transport, protocol, t}
}

// Protocol is the HTTP version of a client.
type Protocol string

// The versions every server speaks.
const (
	HTTP1 Protocol = "HTTP/1.1"
	HTTP2 Protocol = "HTTP/2.0"
)

// OverBoth runs a test once per HTTP version.
func OverBoth(t *testing.T, test func(t *testing.T, protocol Protocol)) {
	t.Helper()
	for _, protocol := range []Protocol{HTTP1, HTTP2} {
		t.Run(string(protocol), func(t *testing.T) { test(t, protocol) })
	}
}

// WithAdmin runs a test once per HTTP version, with a new server and its administrator.
func WithAdmin(t *testing.T, test func(t *testing.T, server *Server, client *kes.Client)) {
	t.Helper()
	OverBoth(t, func(t *testing.T, protocol Protocol) {
		server := Start(t, Config{})
		test(t, server, server.Client(t, protocol, server.Admin))
	})
}

// expect fails the test when an answer came over another HTTP version than asked.
type expect struct {
	transport *http.Transport
	protocol  Protocol
	t         testing.TB
}

func (e expect) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := e.transport.RoundTrip(request)
	if err == nil && response.Proto != string(e.protocol) {
		e.t.Errorf("answer over %s instead of %s", response.Proto, e.protocol)
	}
	return response, err
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

func run(t testing.TB, name string, arguments ...string) {
	t.Helper()
	if output, err := exec.Command(name, arguments...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, arguments, err, output)
	}
}

// FreeAddress is a loopback address that was free a moment ago.
func FreeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// lockedBuffer is a buffer a process writes while a test reads it.
type lockedBuffer struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(data []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.Write(data)
}

func (b *lockedBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.String()
}
