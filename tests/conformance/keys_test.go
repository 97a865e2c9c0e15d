package conformance

import (
	"bytes"
	"context"
	"crypto/hmac"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/minio/kms-go/kes"

	"keystead.test/conformance/kestest"
	"keystead.test/conformance/overhttp"
)

func TestKeyLifeCycle(t *testing.T) {
	kestest.WithAdmin(t, func(t *testing.T, server *kestest.Server, client *kes.Client) {
		ctx := t.Context()

		before := time.Now().Add(-time.Second)
		must(t, client.CreateKey(ctx, "my-key"))
		wantError(t, client.CreateKey(ctx, "my-key"), kes.ErrKeyExists)

		info, err := client.DescribeKey(ctx, "my-key")
		must(t, err)
		if info.Name != "my-key" || info.CreatedBy != server.Admin.Identity() || info.CreatedAt.Before(before) {
			t.Fatalf("description: %+v", info)
		}
		if info.Algorithm != kes.AES256 && info.Algorithm != kes.ChaCha20 {
			t.Fatalf("algorithm: %v", info.Algorithm)
		}

		for _, associated := range [][]byte{nil, []byte(`{"bucket":"bucket/object"}`)} {
			dek, err := client.GenerateKey(ctx, "my-key", associated)
			must(t, err)
			if len(dek.Plaintext) != 32 {
				t.Fatalf("data key of %d bytes", len(dek.Plaintext))
			}
			plaintext, err := client.Decrypt(ctx, "my-key", dek.Ciphertext, associated)
			must(t, err)
			if !bytes.Equal(plaintext, dek.Plaintext) {
				t.Fatal("the data key does not come back")
			}
			_, err = client.Decrypt(ctx, "my-key", dek.Ciphertext, []byte("other"))
			wantError(t, err, kes.ErrDecrypt)
		}

		must(t, client.DeleteKey(ctx, "my-key"))
		_, err = client.GenerateKey(ctx, "my-key", nil)
		wantError(t, err, kes.ErrKeyNotFound)
		wantError(t, client.DeleteKey(ctx, "my-key"), kes.ErrKeyNotFound)
	})
}

func TestEncryptEverySize(t *testing.T) {
	kestest.WithAdmin(t, func(t *testing.T, _ *kestest.Server, client *kes.Client) {
		ctx := t.Context()
		must(t, client.CreateKey(ctx, "my-key"))

		for _, size := range []int{0, 1, 32, 65_537, 700_000} {
			message := bytes.Repeat([]byte{7}, size)
			ciphertext, err := client.Encrypt(ctx, "my-key", message, nil)
			must(t, err)
			plaintext, err := client.Decrypt(ctx, "my-key", ciphertext, nil)
			must(t, err)
			if !bytes.Equal(plaintext, message) {
				t.Fatalf("a message of %d bytes does not come back", size)
			}
		}
		_, err := client.Encrypt(ctx, "my-key", make([]byte, 800_000), nil)
		wantStatus(t, err, 400, "invalid request body")
		_, err = client.Decrypt(ctx, "my-key", []byte("no ciphertext"), nil)
		wantError(t, err, kes.ErrDecrypt)
	})
}

func TestImport(t *testing.T) {
	kestest.WithAdmin(t, func(t *testing.T, _ *kestest.Server, client *kes.Client) {
		ctx := t.Context()
		key := bytes.Repeat([]byte{9}, 32)

		for name, cipher := range map[string]kes.KeyAlgorithm{"aes": kes.AES256, "chacha": kes.ChaCha20} {
			request := &kes.ImportKeyRequest{Key: key, Cipher: cipher}
			must(t, client.ImportKey(ctx, name, request))
			wantError(t, client.ImportKey(ctx, name, request), kes.ErrKeyExists)
			info, err := client.DescribeKey(ctx, name)
			must(t, err)
			if info.Algorithm != cipher {
				t.Fatalf("%s became %v", name, info.Algorithm)
			}
			// The same key material opens what the other name sealed.
			must(t, client.ImportKey(ctx, name+"-copy", request))
			ciphertext, err := client.Encrypt(ctx, name, []byte("message"), nil)
			must(t, err)
			plaintext, err := client.Decrypt(ctx, name+"-copy", ciphertext, nil)
			must(t, err)
			if string(plaintext) != "message" {
				t.Fatalf("plaintext: %q", plaintext)
			}
		}
		short := &kes.ImportKeyRequest{Key: key[:16], Cipher: kes.AES256}
		wantStatus(t, client.ImportKey(ctx, "short", short), 406, "invalid key size for 'AES256'")
	})
}

func TestHMACIsStable(t *testing.T) {
	kestest.WithAdmin(t, func(t *testing.T, server *kestest.Server, client *kes.Client) {
		ctx := t.Context()
		must(t, client.CreateKey(ctx, "my-key"))

		first, err := client.HMAC(ctx, "my-key", []byte("root access key"))
		must(t, err)
		other, err := client.HMAC(ctx, "my-key", []byte("root secret key"))
		must(t, err)
		server.Stop(t)
		server.Launch(t)
		again, err := client.HMAC(ctx, "my-key", []byte("root access key"))
		must(t, err)
		if len(first) != 32 || !hmac.Equal(first, again) || hmac.Equal(first, other) {
			t.Fatalf("%x, after a restart %x, of another message %x", first, again, other)
		}
		_, err = client.HMAC(ctx, "absent", nil)
		wantError(t, err, kes.ErrKeyNotFound)
	})
}

func TestInvalidNames(t *testing.T) {
	server := kestest.Start(t, kestest.Config{})
	client := server.Client(t, overhttp.HTTP2, server.Admin)
	for _, name := range []string{"", "-a", "a.b", "a/b", "_", "ä", string(bytes.Repeat([]byte("a"), 81))} {
		want := fmt.Sprintf("key name '%s' is empty, too long or contains invalid characters", name)
		wantStatus(t, client.CreateKey(t.Context(), name), 400, want)
	}
}

func TestManyAtOnce(t *testing.T) {
	kestest.WithAdmin(t, func(t *testing.T, _ *kestest.Server, client *kes.Client) {
		must(t, client.CreateKey(t.Context(), "my-key"))

		var group sync.WaitGroup
		for range 64 {
			group.Go(func() {
				for range 10 {
					if err := roundTrip(t.Context(), client); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
	})
}

func TestServersShareAStore(t *testing.T) {
	ctx := t.Context()
	one := kestest.Start(t, kestest.Config{})
	two := kestest.Start(t, kestest.Config{Store: one.Store})
	first := one.Client(t, overhttp.HTTP2, one.Admin)
	second := two.Client(t, overhttp.HTTP2, two.Admin)

	_, err := second.GenerateKey(ctx, "my-key", nil)
	wantError(t, err, kes.ErrKeyNotFound)
	must(t, first.CreateKey(ctx, "my-key"))
	dek, err := first.GenerateKey(ctx, "my-key", nil)
	must(t, err)
	plaintext, err := second.Decrypt(ctx, "my-key", dek.Ciphertext, nil)
	must(t, err)
	if !bytes.Equal(plaintext, dek.Plaintext) {
		t.Fatal("the second server opens something else")
	}
	wantError(t, second.CreateKey(ctx, "my-key"), kes.ErrKeyExists)
}

func TestDevelopmentMode(t *testing.T) {
	overhttp.Both(t, func(t *testing.T, protocol overhttp.Protocol) {
		server := kestest.StartDev(t)
		client := server.Client(t, protocol, server.Admin)
		must(t, client.CreateKey(t.Context(), "my-key"))
		must(t, roundTrip(t.Context(), client))
		stranger := server.Client(t, protocol, kestest.NewKey(t))
		_, err := stranger.GenerateKey(t.Context(), "my-key", nil)
		wantError(t, err, kes.ErrNotAllowed)
	})
}

// roundTrip makes a data key with `my-key` and opens it again.
func roundTrip(ctx context.Context, client *kes.Client) error {
	associated := []byte("context")
	dek, err := client.GenerateKey(ctx, "my-key", associated)
	if err != nil {
		return err
	}
	plaintext, err := client.Decrypt(ctx, "my-key", dek.Ciphertext, associated)
	if err != nil {
		return err
	}
	if !bytes.Equal(plaintext, dek.Plaintext) {
		return fmt.Errorf("the data key does not come back")
	}
	return nil
}
