package conformance

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/kms-go/kes"

	"keystead.test/conformance/kestest"
	"keystead.test/conformance/overhttp"
)

// A client whose first create succeeded unseen repeats it and learns that the key exists.
func TestCreateIsRepeatedAfterALostAnswer(t *testing.T) {
	kestest.WithAdmin(t, func(t *testing.T, _ *kestest.Server, client *kes.Client) {
		ctx := t.Context()
		lossy := &loseFirstAnswer{inner: client.HTTPClient.Transport}
		client.HTTPClient.Transport = lossy

		wantError(t, client.CreateKey(ctx, "my-key"), kes.ErrKeyExists)
		if requests := lossy.requests.Load(); requests != 2 {
			t.Fatalf("%d requests", requests)
		}
		must(t, roundTrip(ctx, client))
	})
}

type loseFirstAnswer struct {
	inner    http.RoundTripper
	requests atomic.Int32
}

func (l *loseFirstAnswer) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := l.inner.RoundTrip(request)
	if err == nil && l.requests.Add(1) == 1 {
		response.Body.Close()
		return nil, io.ErrUnexpectedEOF
	}
	return response, err
}

func TestFailOverFromAStoppedServer(t *testing.T) {
	overhttp.Both(t, func(t *testing.T, protocol overhttp.Protocol) {
		ctx := t.Context()
		one := kestest.Start(t, kestest.Config{})
		two := kestest.Start(t, kestest.Config{Store: one.Store, Policies: everything(one.Admin.Identity())})
		must(t, clientOf(t, protocol, one.Admin, one, two).CreateKey(ctx, "my-key"))

		for _, stopped := range []*kestest.Server{one, two} {
			client := clientOf(t, protocol, one.Admin, one, two)
			stopped.Stop(t)
			for range 4 {
				must(t, roundTrip(ctx, client))
			}
			stopped.Launch(t)
		}
		client := clientOf(t, protocol, one.Admin, one, two)
		one.Stop(t)
		two.Stop(t)
		_, err := client.GenerateKey(ctx, "my-key", nil)
		if _, ok := kes.IsConnError(err); !ok {
			t.Fatalf("without a server: %v", err)
		}
	})
}

// A server that lost its key store answers 5xx, so that clients turn to the next one.
// Only calls without a body are repeated whole: the client has read its body away by
// then and sends an empty one.
func TestFailOverFromALostKeyStore(t *testing.T) {
	overhttp.Both(t, func(t *testing.T, protocol overhttp.Protocol) {
		ctx := t.Context()
		lost := kestest.Start(t, kestest.Config{})
		good := kestest.Start(t, kestest.Config{Policies: everything(lost.Admin.Identity())})
		must(t, good.Client(t, protocol, good.Admin).CreateKey(ctx, "my-key"))

		breakStore(t, lost)
		for range 4 {
			_, err := clientOf(t, protocol, lost.Admin, lost, good).DescribeKey(ctx, "my-key")
			must(t, err)
		}
	})
}

// A data key that was handed out opens with its context: a request whose body was lost on
// the way to the next server must fail instead of giving a key for another context.
func TestFailOverHandsOutNoKeyForAnotherContext(t *testing.T) {
	overhttp.Both(t, func(t *testing.T, protocol overhttp.Protocol) {
		ctx, object := t.Context(), []byte(`{"bucket":"bucket/object"}`)
		lost := kestest.Start(t, kestest.Config{})
		good := kestest.Start(t, kestest.Config{Policies: everything(lost.Admin.Identity())})
		must(t, good.Client(t, protocol, good.Admin).CreateKey(ctx, "my-key"))
		breakStore(t, lost)

		opened, refused := 0, 0
		for _, servers := range [][]*kestest.Server{{lost, good}, {good, lost}} {
			for range 8 {
				client := clientOf(t, protocol, lost.Admin, servers...)
				key, err := client.GenerateKey(ctx, "my-key", object)
				if err != nil {
					wantStatus(t, err, http.StatusBadRequest, "invalid request body")
					refused++
					continue
				}
				_, err = client.Decrypt(ctx, "my-key", key.Ciphertext, object)
				must(t, err)
				opened++
			}
		}
		t.Logf("%d refused, %d opened", refused, opened)
		if opened == 0 {
			t.Fatal("no data key was handed out at all")
		}
	})
}

// everything is a policy that allows it.
func everything(identity kes.Identity) string {
	return fmt.Sprintf("  all:\n    allow: [ \"/v1/*\" ]\n    identities: [ %q ]\n", identity)
}

// clientOf is one client of several servers.
func clientOf(t *testing.T, protocol overhttp.Protocol, key kes.APIKey, servers ...*kestest.Server) *kes.Client {
	t.Helper()
	certificate, err := kes.GenerateCertificate(key)
	must(t, err)
	config := servers[0].TLS(t, certificate)
	var endpoints []string
	for _, server := range servers {
		config.RootCAs.AddCert(leaf(t, server))
		endpoints = append(endpoints, server.Endpoint)
	}
	client := servers[0].ClientWithConfig(t, protocol, config)
	client.Endpoints = endpoints
	return client
}

func leaf(t *testing.T, server *kestest.Server) *x509.Certificate {
	t.Helper()
	admin, err := kes.GenerateCertificate(server.Admin)
	must(t, err)
	connection, err := tls.Dial("tcp", server.Endpoint[len("https://"):], server.TLS(t, admin))
	must(t, err)
	defer connection.Close()
	return connection.ConnectionState().PeerCertificates[0]
}

// Without verification nothing but the key of a client certificate matters.
func TestClientCertificates(t *testing.T) {
	ed25519, ok := kestest.NewKey(t).Private().(crypto.Signer)
	if !ok {
		t.Fatal("an API key does not sign")
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	must(t, err)
	rsa2048, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	keys := map[string]crypto.Signer{"Ed25519": ed25519, "P-256": p256, "P-521": p521, "RSA-2048": rsa2048}

	policy := "  all:\n    allow: [ \"/v1/*\" ]\n    identities:\n"
	for _, key := range keys {
		policy += fmt.Sprintf("      - %q\n", identity(t, key))
	}
	server := kestest.Start(t, kestest.Config{Policies: policy})

	for name, key := range keys {
		for form, template := range map[string]x509.Certificate{
			"expired": {NotAfter: time.Now().Add(-time.Hour)},
			"ca":      {NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true},
			"server":  {NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}},
		} {
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				t.Run(fmt.Sprintf("%s/%s/%s", name, form, tls.VersionName(version)), func(t *testing.T) {
					config := server.TLS(t, selfSigned(t, &template, key))
					config.MaxVersion = version
					client := server.ClientWithConfig(t, overhttp.HTTP2, config)
					info, _, err := client.DescribeSelf(t.Context())
					must(t, err)
					if info.Identity != identity(t, key) {
						t.Fatalf("identity: %v", info.Identity)
					}
				})
			}
		}
	}
}

func TestWithoutACertificate(t *testing.T) {
	overhttp.Both(t, func(t *testing.T, protocol overhttp.Protocol) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		closed := kestest.Start(t, kestest.Config{})
		_, err := closed.ClientWithConfig(t, protocol, closed.TLS(t)).Version(ctx)
		// Over HTTP/2 it depends on when the alert arrives whether the client names this a
		// connection error; it never is an answer.
		if answer := (kes.Error{}); err == nil || errors.As(err, &answer) {
			t.Fatalf("no certificate: %v", err)
		}

		// Leaving one API open makes the certificate optional for all.
		open := kestest.Start(t, kestest.Config{Rest: "api:\n  /v1/ready:\n    skip_auth: true\n"})
		client := open.ClientWithConfig(t, protocol, open.TLS(t))
		ready, err := client.IsReady(ctx)
		must(t, err)
		if !ready {
			t.Fatal("not ready")
		}
		wantStatus(t, client.CreateKey(ctx, "my-key"), 400, "tls: client certificate is required")
	})
}

func TestCancelledRequestsAreNotErrorsOfTheServer(t *testing.T) {
	server := kestest.Start(t, kestest.Config{})
	client := server.Client(t, overhttp.HTTP2, server.Admin)
	must(t, client.CreateKey(t.Context(), "my-key"))
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.GenerateKey(cancelled, "my-key", nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	must(t, roundTrip(t.Context(), client))
}

func identity(t *testing.T, key crypto.Signer) kes.Identity {
	t.Helper()
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	must(t, err)
	digest := sha256.Sum256(spki)
	return kes.Identity(hex.EncodeToString(digest[:]))
}

func selfSigned(t *testing.T, template *x509.Certificate, key crypto.Signer) tls.Certificate {
	t.Helper()
	template.SerialNumber = big.NewInt(1)
	template.NotBefore = template.NotAfter.Add(-24 * time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
