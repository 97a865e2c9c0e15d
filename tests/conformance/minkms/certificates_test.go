package minkms

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"aead.dev/mtls"
	"github.com/minio/kms-go/kms"

	"keystead.test/conformance/kmstest"
	"keystead.test/conformance/overhttp"
)

// Without verification nothing but the key of a client certificate matters, and whoever
// has the key is the same caller, however old the certificate is.
func TestClientCertificates(t *testing.T) {
	server := start(t, overhttp.HTTP2)
	root := server.root(t)
	must(t, root.CreateKey(t.Context(), enclave, &kms.CreateKeyRequest{Name: "my-key"}))
	for name, key := range keysOfEveryKind(t) {
		private, err := mtls.NewPrivateKey(key)
		must(t, err)
		must(t, root.CreateIdentity(t.Context(), enclave, &kms.CreateIdentityRequest{
			Identity: private.Identity(), Privilege: kms.Admin,
		}))
		for form, template := range map[string]*x509.Certificate{
			"default": nil,
			"expired": {NotBefore: time.Now().Add(-200 * 24 * time.Hour), NotAfter: time.Now().Add(-time.Hour)},
			"future":  {NotBefore: time.Now().Add(time.Hour), NotAfter: time.Now().Add(2 * time.Hour)},
			"ca":      {NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true},
			"server":  {NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}},
		} {
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				t.Run(fmt.Sprintf("%s/%s/%s", name, form, tls.VersionName(version)), func(t *testing.T) {
					certificate := selfSigned(t, template, private, key)
					config := server.TLS(t, certificate)
					config.MaxVersion = version
					client := server.clientWith(t, config)
					if own := identityOf(t, client, private.Identity()); own.Privilege != kms.Admin {
						t.Fatalf("identity: %+v", own)
					}
				})
			}
		}
	}
}

func keysOfEveryKind(t testing.TB) map[string]crypto.Signer {
	t.Helper()
	keys := map[string]crypto.Signer{}
	for name, curve := range map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		must(t, err)
		keys[name] = key
	}
	rsa2048, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	keys["RSA-2048"] = rsa2048
	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	keys["Ed25519"] = key
	return keys
}

func selfSigned(t testing.TB, template *x509.Certificate, private *mtls.PrivateKey, key crypto.Signer) tls.Certificate {
	t.Helper()
	if template == nil {
		certificate, err := kms.GenerateCertificate(private, nil)
		must(t, err)
		return certificate
	}
	template.SerialNumber = big.NewInt(1)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Keys of both kinds, in the form that people copy, with nothing but what the client
// library sets by itself.
func TestAPIKeys(t *testing.T) {
	server := start(t, overhttp.HTTP2)
	for name, key := range keysOfEveryKind(t) {
		if name == "RSA-2048" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			private, err := mtls.NewPrivateKey(key)
			must(t, err)
			prefix := map[bool]string{true: "k1:", false: "k2:"}[name == "Ed25519"]
			if !strings.HasPrefix(private.String(), prefix) {
				t.Fatalf("%s: no %s key", name, prefix)
			}
			parsed, err := mtls.ParsePrivateKey(private.String())
			must(t, err)
			must(t, server.root(t).CreateIdentity(t.Context(), enclave, &kms.CreateIdentityRequest{
				Identity: parsed.Identity(), Privilege: kms.Admin,
			}))
			// The CLI takes the key for the same one.
			if printed := server.Command(t, "identity", private.String()); !strings.Contains(printed, parsed.Identity().String()) {
				t.Fatalf("minkms identity: %s", printed)
			}
			config := server.TLS(t)
			config.ClientSessionCache = tls.NewLRUClientSessionCache(100)
			for range 3 {
				client, err := kms.NewClient(&kms.Config{Endpoints: []string{server.Address}, APIKey: parsed, TLS: config.Clone()})
				must(t, err)
				if own := identityOf(t, client, parsed.Identity()); own.Privilege != kms.Admin {
					t.Fatalf("identity: %+v", own)
				}
			}
		})
	}
}

// A resumed session has no certificate of its own; the caller stays the same.
func TestSessionsAreResumedWithTheirIdentity(t *testing.T) {
	overhttp.Both(t, func(t *testing.T, protocol overhttp.Protocol) {
		server := start(t, protocol)
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			key := newKey(t)
			must(t, server.root(t).CreateIdentity(t.Context(), enclave, &kms.CreateIdentityRequest{
				Identity: key.Identity(), Privilege: kms.Admin,
			}))
			certificate, err := kms.GenerateCertificate(key, nil)
			must(t, err)
			config := server.TLS(t, certificate)
			config.MaxVersion = version
			config.ClientSessionCache = tls.NewLRUClientSessionCache(100)
			for range 3 {
				if own := identityOf(t, server.clientWith(t, config), key.Identity()); own.Privilege != kms.Admin {
					t.Fatalf("identity: %+v", own)
				}
			}
		}
	})
}

// The root key follows from the key of the software HSM: whoever has that needs no banner.
func TestRootKeyFollowsFromTheHSMKey(t *testing.T) {
	server := kmstest.Start(t, kmstest.Config{})
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(server.HSMKey, "hsm:aes256:"))
	must(t, err)
	seed, err := hkdf.Key(sha256.New, secret, nil, "keystead/minkms/v1/hsm/root-ed25519", ed25519.SeedSize)
	must(t, err)
	key, err := mtls.NewPrivateKey(ed25519.NewKeyFromSeed(seed))
	must(t, err)
	if key.String() != server.Root {
		t.Fatal("the banner shows another API key")
	}
	if printed := server.Command(t, "identity", server.HSMKey); !strings.Contains(printed, server.Root) {
		t.Fatalf("minkms identity: %s", printed)
	}
}

// The root may be somebody else, with whatever key.
func TestConfiguredRoot(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(t, err)
	private, err := mtls.NewPrivateKey(key)
	must(t, err)
	server := server{kmstest.Start(t, kmstest.Config{
		Rest: "admin:\n  identity: " + private.Identity().String() + "\n",
	}), overhttp.HTTP2}
	must(t, server.client(t, private).CreateEnclave(t.Context(), &kms.CreateEnclaveRequest{Name: enclave}))
	if own := identityOf(t, server.client(t, private), private.Identity()); own.Privilege != kms.SysAdmin {
		t.Fatalf("root: %+v", own)
	}
}

func TestDevelopmentMode(t *testing.T) {
	overhttp.Both(t, func(t *testing.T, protocol overhttp.Protocol) {
		server := server{kmstest.StartDev(t), protocol}
		root := server.root(t)
		must(t, root.CreateEnclave(t.Context(), &kms.CreateEnclaveRequest{Name: enclave}))
		must(t, root.CreateKey(t.Context(), enclave, &kms.CreateKeyRequest{Name: "my-key"}))
		keys, err := root.GenerateKey(t.Context(), enclave, &kms.GenerateKeyRequest{Name: "my-key"})
		must(t, err)
		opens(t, root, "my-key", 1, keys[0].Ciphertext, nil, keys[0].Plaintext)
	})
}
