package minkms

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/minio/kms-go/kms"
)

func TestKeyLifeCycle(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		ctx, begin := t.Context(), time.Now()
		admin, identity := server.register(t, kms.Admin)
		create := &kms.CreateKeyRequest{Name: "my-key"}
		must(t, admin.CreateKey(ctx, enclave, create))
		wantError(t, admin.CreateKey(ctx, enclave, create), kms.ErrKeyExists)

		status, err := root.KeyStatus(ctx, enclave, &kms.KeyStatusRequest{Name: "my-key"})
		must(t, err)
		if len(status) != 1 || status[0].Name != "my-key" || status[0].Version != 1 ||
			status[0].Type != kms.AES256 || status[0].CreatedBy != identity {
			t.Fatalf("status: %+v", status)
		}
		recent(t, status[0].CreatedAt, begin)

		for _, associated := range [][]byte{nil, []byte(`{"bucket":"bucket/object"}`)} {
			for length, want := range map[int]int{0: 32, 1: 1, 16: 16, 32: 32, 1024: 1024} {
				keys, err := admin.GenerateKey(ctx, enclave, &kms.GenerateKeyRequest{
					Name: "my-key", AssociatedData: associated, Length: length,
				})
				must(t, err)
				if len(keys[0].Plaintext) != want || keys[0].Version != 1 {
					t.Fatalf("%d bytes of version %d", len(keys[0].Plaintext), keys[0].Version)
				}
				opens(t, admin, "my-key", 1, keys[0].Ciphertext, associated, keys[0].Plaintext)
				_, err = admin.Decrypt(ctx, enclave, &kms.DecryptRequest{
					Name: "my-key", Version: 1, Ciphertext: keys[0].Ciphertext, AssociatedData: []byte("other"),
				})
				wantError(t, err, kms.ErrDecrypt)
			}
		}
		_, err = admin.GenerateKey(ctx, enclave, &kms.GenerateKeyRequest{Name: "my-key", Length: 1025})
		wantStatus(t, err, 400)

		must(t, admin.DeleteKey(ctx, enclave, &kms.DeleteKeyRequest{Name: "my-key"}))
		wantError(t, admin.DeleteKey(ctx, enclave, &kms.DeleteKeyRequest{Name: "my-key"}), kms.ErrKeyNotFound)
		for call, err := range missing(ctx, admin, "my-key", 0) {
			if !errors.Is(err, kms.ErrKeyNotFound) {
				t.Fatalf("%s of a deleted key: %v", call, err)
			}
		}
	})
}

// missing is what the calls that use a key answer for a name.
func missing(ctx context.Context, client *kms.Client, name string, version int) map[string]error {
	_, status := client.KeyStatus(ctx, enclave, &kms.KeyStatusRequest{Name: name, Version: version})
	_, encrypt := client.Encrypt(ctx, enclave, &kms.EncryptRequest{Name: name, Version: version})
	_, decrypt := client.Decrypt(ctx, enclave, &kms.DecryptRequest{Name: name, Version: version, Ciphertext: make([]byte, 76)})
	_, generate := client.GenerateKey(ctx, enclave, &kms.GenerateKeyRequest{Name: name, Version: version})
	_, mac := client.MAC(ctx, enclave, &kms.MACRequest{Name: name, Version: version})
	return map[string]error{
		"KeyStatus": status, "Encrypt": encrypt, "Decrypt": decrypt, "GenerateKey": generate, "MAC": mac,
	}
}

// opens expects a plaintext with the version and with the versions that object servers
// send because they remember none.
func opens(t testing.TB, client *kms.Client, name string, version int, ciphertext, associated, plaintext []byte) {
	t.Helper()
	for _, version := range []int{version, 0, 1} {
		answers, err := client.Decrypt(t.Context(), enclave, &kms.DecryptRequest{
			Name: name, Version: version, Ciphertext: ciphertext, AssociatedData: associated,
		})
		must(t, err)
		if len(answers) != 1 || !bytes.Equal(answers[0].Plaintext, plaintext) {
			t.Fatalf("version %d: not the plaintext", version)
		}
	}
}

func TestRotation(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		ctx, message := t.Context(), []byte("message")
		rotate := &kms.CreateKeyRequest{Name: "my-key", AddVersion: true}
		wantError(t, root.CreateKey(ctx, enclave, rotate), kms.ErrKeyNotFound)
		must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "my-key", Type: kms.ChaCha20}))
		var ciphertexts, macs [][]byte
		for version := 1; version <= 3; version++ {
			if version > 1 {
				must(t, root.CreateKey(ctx, enclave, rotate))
			}
			sealed, err := root.Encrypt(ctx, enclave, &kms.EncryptRequest{Name: "my-key", Plaintext: message})
			must(t, err)
			mac, err := root.MAC(ctx, enclave, &kms.MACRequest{Name: "my-key", Message: message})
			must(t, err)
			status, err := root.KeyStatus(ctx, enclave, &kms.KeyStatusRequest{Name: "my-key"})
			must(t, err)
			if sealed[0].Version != version || mac[0].Version != version || status[0].Version != version ||
				status[0].Type != kms.ChaCha20 {
				t.Fatalf("version %d: %+v %+v %+v", version, sealed[0], mac[0], status[0])
			}
			ciphertexts, macs = append(ciphertexts, sealed[0].Ciphertext), append(macs, mac[0].MAC)
		}

		for i, ciphertext := range ciphertexts {
			opens(t, root, "my-key", i+1, ciphertext, nil, message)
			sealed, err := root.Encrypt(ctx, enclave, &kms.EncryptRequest{Name: "my-key", Version: i + 1, Plaintext: message})
			must(t, err)
			mac, err := root.MAC(ctx, enclave, &kms.MACRequest{Name: "my-key", Version: i + 1, Message: message})
			must(t, err)
			if sealed[0].Version != i+1 || mac[0].Version != i+1 || !bytes.Equal(mac[0].MAC, macs[i]) {
				t.Fatalf("asked for version %d: %+v %+v", i+1, sealed[0], mac[0])
			}
			opens(t, root, "my-key", i+1, sealed[0].Ciphertext, nil, message)
		}
		_, err := root.Decrypt(ctx, enclave, &kms.DecryptRequest{Name: "my-key", Version: 2, Ciphertext: ciphertexts[0]})
		wantError(t, err, kms.ErrDecrypt)
		for _, err := range missing(ctx, root, "my-key", 4) {
			wantError(t, err, kms.ErrKeyNotFound)
		}

		// A version that is gone takes its data with it, and its number never comes back.
		must(t, root.DeleteKey(ctx, enclave, &kms.DeleteKeyRequest{Name: "my-key", Version: 2}))
		wantError(t, root.DeleteKey(ctx, enclave, &kms.DeleteKeyRequest{Name: "my-key", Version: 2}), kms.ErrKeyNotFound)
		for _, err := range missing(ctx, root, "my-key", 2) {
			wantError(t, err, kms.ErrKeyNotFound)
		}
		_, err = root.Decrypt(ctx, enclave, &kms.DecryptRequest{Name: "my-key", Ciphertext: ciphertexts[1]})
		wantError(t, err, kms.ErrDecrypt)
		must(t, root.DeleteKey(ctx, enclave, &kms.DeleteKeyRequest{Name: "my-key"}))
		must(t, root.CreateKey(ctx, enclave, rotate))
		status, err := root.KeyStatus(ctx, enclave, &kms.KeyStatusRequest{Name: "my-key"},
			&kms.KeyStatusRequest{Name: "my-key", Version: 1})
		must(t, err)
		if status[0].Version != 4 || status[1].Version != 1 {
			t.Fatalf("versions: %+v %+v", status[0], status[1])
		}
		opens(t, root, "my-key", 1, ciphertexts[0], nil, message)

		// The client refuses what the protocol forbids by itself.
		if err := root.DeleteKey(ctx, enclave, &kms.DeleteKeyRequest{Name: "my-key", Version: 1, AllVersions: true}); err == nil {
			t.Fatal("one version and all versions were deleted")
		}
		must(t, root.DeleteKey(ctx, enclave, &kms.DeleteKeyRequest{Name: "my-key", AllVersions: true}))
		for _, err := range missing(ctx, root, "my-key", 0) {
			wantError(t, err, kms.ErrKeyNotFound)
		}
	})
}

func TestVersionsMayDifferInType(t *testing.T) {
	withRoot(t, func(t *testing.T, _ server, root *kms.Client) {
		ctx := t.Context()
		types := []kms.SecretKeyType{kms.AES256, kms.ChaCha20, kms.AES256}
		for i, kind := range types {
			must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "my-key", Type: kind, AddVersion: i > 0}))
			keys, err := root.GenerateKey(ctx, enclave, &kms.GenerateKeyRequest{Name: "my-key"})
			must(t, err)
			opens(t, root, "my-key", i+1, keys[0].Ciphertext, nil, keys[0].Plaintext)
		}
		for i, kind := range types {
			status, err := root.KeyStatus(ctx, enclave, &kms.KeyStatusRequest{Name: "my-key", Version: i + 1})
			must(t, err)
			if status[0].Type != kind {
				t.Fatalf("version %d: %v", i+1, status[0].Type)
			}
		}
	})
}

func TestEncryptEverySize(t *testing.T) {
	withRoot(t, func(t *testing.T, _ server, root *kms.Client) {
		ctx := t.Context()
		for _, kind := range []kms.SecretKeyType{kms.AES256, kms.ChaCha20} {
			name := kind.String()
			must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: name, Type: kind}))
			for _, size := range []int{0, 1, 32, 65_537, 1 << 20} {
				message := bytes.Repeat([]byte{7}, size)
				sealed, err := root.Encrypt(ctx, enclave, &kms.EncryptRequest{Name: name, Plaintext: message})
				must(t, err)
				if len(sealed[0].Ciphertext) != size+44 {
					t.Fatalf("%d bytes of %d", len(sealed[0].Ciphertext), size)
				}
				opens(t, root, name, 1, sealed[0].Ciphertext, nil, message)
			}
			_, err := root.Encrypt(ctx, enclave, &kms.EncryptRequest{Name: name, Plaintext: make([]byte, 1<<20+1)})
			wantStatus(t, err, 413)
			for _, ciphertext := range []string{"", "{}", "no ciphertext", string(make([]byte, 44))} {
				_, err := root.Decrypt(ctx, enclave, &kms.DecryptRequest{Name: name, Ciphertext: []byte(ciphertext)})
				wantError(t, err, kms.ErrDecrypt)
			}
		}
	})
}

// An imported key computes what its owner computes, in the layout of the built-in key of
// object servers.
func TestImport(t *testing.T) {
	withRoot(t, func(t *testing.T, _ server, root *kms.Client) {
		ctx, key := t.Context(), bytes.Repeat([]byte{9}, 32)
		imported := &kms.ImportKeyRequest{Name: "imported", Type: kms.AES256, Key: key}
		must(t, root.ImportKey(ctx, enclave, imported))
		wantError(t, root.ImportKey(ctx, enclave, imported), kms.ErrKeyExists)
		wantError(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "imported"}), kms.ErrKeyExists)
		for _, length := range []int{0, 16, 31, 33, 64} {
			err := root.ImportKey(ctx, enclave, &kms.ImportKeyRequest{Name: "short", Type: kms.AES256, Key: make([]byte, length)})
			wantAnswer(t, err, 400, "invalid key length")
		}
		status, err := root.KeyStatus(ctx, enclave, &kms.KeyStatusRequest{Name: "imported"})
		must(t, err)
		if status[0].Version != 1 || status[0].Type != kms.AES256 {
			t.Fatalf("status: %+v", status[0])
		}

		message, context := []byte("message"), []byte(`{"bucket":"bucket/object"}`)
		sealed := seal(t, key, message, context)
		opens(t, root, "imported", 1, sealed, context, message)

		mac, err := root.MAC(ctx, enclave, &kms.MACRequest{Name: "imported", Message: message})
		must(t, err)
		macKey, err := hkdf.Key(sha256.New, key, nil, "keystead/minkms/v1/mac", 32)
		must(t, err)
		digest := hmac.New(sha256.New, macKey)
		digest.Write(message)
		if !hmac.Equal(mac[0].MAC, digest.Sum(nil)) {
			t.Fatalf("MAC: %x", mac[0].MAC)
		}
	})
}

// seal is what an object server with a built-in key writes.
func seal(t testing.TB, key, plaintext, associated []byte) []byte {
	t.Helper()
	iv, nonce := bytes.Repeat([]byte{1}, 16), bytes.Repeat([]byte{2}, 12)
	derived := hmac.New(sha256.New, key)
	derived.Write(iv)
	block, err := aes.NewCipher(derived.Sum(nil))
	must(t, err)
	aead, err := cipher.NewGCM(block)
	must(t, err)
	return slices.Concat(aead.Seal(nil, nonce, plaintext, associated), iv, nonce)
}

func TestMAC(t *testing.T) {
	withRoot(t, func(t *testing.T, _ server, root *kms.Client) {
		ctx := t.Context()
		for _, name := range []string{"one", "two"} {
			must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: name}))
		}
		messages := [][]byte{nil, []byte("message"), bytes.Repeat([]byte{7}, 16), make([]byte, 1<<20)}
		seen := map[string]bool{}
		for range 2 {
			for _, name := range []string{"one", "two"} {
				var requests []*kms.MACRequest
				for _, message := range messages {
					requests = append(requests, &kms.MACRequest{Name: name, Message: message})
				}
				answers, err := root.MAC(ctx, enclave, requests...)
				must(t, err)
				for _, answer := range answers {
					if answer.Version != 1 || len(answer.MAC) != 32 {
						t.Fatalf("MAC: %+v", answer)
					}
					seen[string(answer.MAC)] = true
				}
			}
		}
		if len(seen) != 2*len(messages) {
			t.Fatalf("%d different MACs", len(seen))
		}
	})
}

func TestBatchesOfTenThousand(t *testing.T) {
	withRoot(t, func(t *testing.T, _ server, root *kms.Client) {
		const size = 10_000
		ctx := t.Context()
		must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "my-key"}))

		generate := make([]*kms.GenerateKeyRequest, size)
		for i := range generate {
			generate[i] = &kms.GenerateKeyRequest{Name: "my-key", AssociatedData: fmt.Append(nil, i)}
		}
		keys, err := root.GenerateKey(ctx, enclave, generate...)
		must(t, err)
		decrypt, encrypt := make([]*kms.DecryptRequest, size), make([]*kms.EncryptRequest, size)
		for i, key := range keys {
			decrypt[i] = &kms.DecryptRequest{Name: "my-key", Ciphertext: key.Ciphertext, AssociatedData: fmt.Append(nil, i)}
			encrypt[i] = &kms.EncryptRequest{Name: "my-key", Plaintext: key.Plaintext}
		}
		opened, err := root.Decrypt(ctx, enclave, decrypt...)
		must(t, err)
		sealed, err := root.Encrypt(ctx, enclave, encrypt...)
		must(t, err)
		if len(opened) != size || len(sealed) != size {
			t.Fatalf("%d opened, %d sealed", len(opened), len(sealed))
		}
		distinct := map[string]bool{}
		for i, key := range keys {
			if !bytes.Equal(opened[i].Plaintext, key.Plaintext) {
				t.Fatalf("answer %d is of another request", i)
			}
			distinct[string(key.Plaintext)] = true
		}
		if len(distinct) != size {
			t.Fatalf("%d different data keys", len(distinct))
		}

		status := make([]*kms.KeyStatusRequest, size)
		macs := make([]*kms.MACRequest, size)
		for i := range size {
			status[i] = &kms.KeyStatusRequest{Name: "my-key"}
			macs[i] = &kms.MACRequest{Name: "my-key", Message: fmt.Append(nil, i)}
		}
		_, err = root.KeyStatus(ctx, enclave, status...)
		must(t, err)
		_, err = root.MAC(ctx, enclave, macs...)
		must(t, err)

		// All or nothing, and not one more.
		decrypt[size-1] = &kms.DecryptRequest{Name: "my-key", Ciphertext: make([]byte, 76)}
		_, err = root.Decrypt(ctx, enclave, decrypt...)
		wantError(t, err, kms.ErrDecrypt)
		_, err = root.GenerateKey(ctx, enclave, append(generate, generate[0])...)
		wantStatus(t, err, 413)
		none, err := root.GenerateKey(ctx, enclave)
		must(t, err)
		if len(none) != 0 {
			t.Fatalf("nothing was asked: %+v", none)
		}
	})
}

func TestNames(t *testing.T) {
	withRoot(t, func(t *testing.T, _ server, root *kms.Client) {
		ctx := t.Context()
		long := string(bytes.Repeat([]byte("n"), 128))
		for _, name := range []string{"a", "my_key.1-2", "arn:aws:kms/key@x+y=", long} {
			must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: name}))
			_, err := root.GenerateKey(ctx, enclave, &kms.GenerateKeyRequest{Name: name})
			must(t, err)
		}
		for _, name := range []string{"", ".", "..", "a b", "ä", "a\x00", "a*", long + "n"} {
			err := root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: name})
			wantAnswer(t, err, 400, "invalid name")
		}
	})
}
