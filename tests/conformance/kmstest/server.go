// Package kmstest starts the minkms binary for a test.
//
// It knows no client, so that the releases of the official one can share it.
package kmstest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"keystead.test/conformance/expect"
	"keystead.test/conformance/process"
)

// Config is what differs between the servers of the tests.
type Config struct {
	// HSMKey is the key of the software HSM; empty means a new one.
	HSMKey string
	// Rest is appended to the configuration file.
	Rest string
}

// Server is a running minkms server of one node.
type Server struct {
	process.Server
	// Address is where the server listens, and its name in the cluster.
	Address string
	// Folder is where the server keeps its state; empty in development mode.
	Folder string
	// Certificate is the path of the server's self-signed certificate; empty in
	// development mode.
	Certificate string
	// HSMKey is the key of the software HSM; empty in development mode.
	HSMKey string
	// Root is the API key that the server printed when it started first.
	Root string
}

// Binary is the path of the minkms binary under test.
func Binary(t testing.TB) string {
	t.Helper()
	return process.Binary(t, "KEYSTEAD_MINKMS")
}

// Start starts a server on a new folder and stops it with the test.
func Start(t testing.TB, config Config) *Server {
	t.Helper()
	folder := t.TempDir()
	server := &Server{
		Address:     process.FreeAddress(t),
		Folder:      filepath.Join(folder, "data"),
		Certificate: filepath.Join(folder, "public.crt"),
		HSMKey:      config.HSMKey,
	}
	if server.HSMKey == "" {
		server.HSMKey = NewHSMKey(t)
	}
	key, file := filepath.Join(folder, "private.key"), filepath.Join(folder, "config.yaml")
	writeCertificate(t, server.Certificate, key)
	text := "version: v1\ntls:\n  certs:\n  - key: " + key + "\n    cert: " + server.Certificate + "\n" + config.Rest
	expect.Must(t, os.WriteFile(file, []byte(text), 0o600))
	server.launch(t, "server", server.Folder, "--config", file,
		"--address", server.Address, "--host", server.Address)
	return server
}

// StartDev starts `minkms server --dev`, whose state is gone at its end.
func StartDev(t testing.TB) *Server {
	t.Helper()
	server := &Server{Address: process.FreeAddress(t)}
	server.launch(t, "server", "--dev", "--address", server.Address)
	return server
}

func (s *Server) launch(t testing.TB, arguments ...string) {
	t.Helper()
	s.Server = process.Server{Name: "minkms at " + s.Address, Path: Binary(t), Arguments: arguments}
	if s.HSMKey != "" {
		s.Environment = []string{"MINIO_KMS_HSM_KEY=" + s.HSMKey}
	}
	s.Root = process.APIKey(t, s.Launch(t))
	t.Cleanup(func() { s.Stop(t) })
}

// Command runs a command of the CLI against the server, by default as root.
func (s *Server) Command(t testing.TB, arguments ...string) string {
	t.Helper()
	environment := []string{"MINIO_KMS_SERVER=" + s.Address, "MINIO_KMS_API_KEY=" + s.Root}
	return process.Run(t, environment, Binary(t), arguments...)
}

// TLS is a client configuration that trusts the server and presents certificates.
func (s *Server) TLS(t testing.TB, certificates ...tls.Certificate) *tls.Config {
	t.Helper()
	config := &tls.Config{Certificates: certificates, MinVersion: tls.VersionTLS12}
	if s.Certificate == "" {
		config.InsecureSkipVerify = true
		return config
	}
	config.RootCAs = x509.NewCertPool()
	Trust(t, config.RootCAs, s)
	return config
}

// Trust adds the certificates of servers to a pool.
func Trust(t testing.TB, pool *x509.CertPool, servers ...*Server) {
	t.Helper()
	for _, server := range servers {
		text, err := os.ReadFile(server.Certificate)
		expect.Must(t, err)
		pool.AppendCertsFromPEM(text)
	}
}

// NewHSMKey is a random key for a software HSM.
func NewHSMKey(t testing.TB) string {
	t.Helper()
	key := make([]byte, 32)
	_, err := rand.Read(key)
	expect.Must(t, err)
	return "hsm:aes256:" + base64.StdEncoding.EncodeToString(key)
}

// writeCertificate makes a self-signed certificate for the loopback address.
func writeCertificate(t testing.TB, certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	expect.Must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	expect.Must(t, err)
	writePEM(t, certificate, "CERTIFICATE", der)
	der, err = x509.MarshalPKCS8PrivateKey(private)
	expect.Must(t, err)
	writePEM(t, key, "PRIVATE KEY", der)
}

func writePEM(t testing.TB, path, kind string, der []byte) {
	t.Helper()
	var text bytes.Buffer
	expect.Must(t, pem.Encode(&text, &pem.Block{Type: kind, Bytes: der}))
	expect.Must(t, os.WriteFile(path, text.Bytes(), 0o600))
}
