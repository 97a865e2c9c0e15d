//go:build v0.1

package older

import (
	"context"
	"errors"
	"testing"

	"github.com/minio/kes-go"
)

func TestBulkDecrypt(t *testing.T) {
	withAdmin(t, func(t *testing.T, _ server, client *kes.Client) {
		ctx := t.Context()
		must(t, client.CreateKey(ctx, "my-key"))
		var ciphertexts []kes.CCP
		messages := []string{"one", "two", "three"}
		for _, message := range messages {
			ciphertext, err := client.Encrypt(ctx, "my-key", []byte(message), []byte(message))
			must(t, err)
			ciphertexts = append(ciphertexts, kes.CCP{Ciphertext: ciphertext, Context: []byte(message)})
		}

		for _, all := range []func(context.Context, string, ...kes.CCP) ([]kes.PCP, error){
			client.DecryptAll, client.Enclave("tenant").DecryptAll,
		} {
			plaintexts, err := all(ctx, "my-key", ciphertexts...)
			must(t, err)
			if len(plaintexts) != len(messages) {
				t.Fatalf("%d plaintexts", len(plaintexts))
			}
			for i, message := range messages {
				if string(plaintexts[i].Plaintext) != message {
					t.Fatalf("plaintext: %q", plaintexts[i].Plaintext)
				}
			}
			_, err = all(ctx, "absent", ciphertexts...)
			wantError(t, err, kes.ErrKeyNotFound)
		}
		ciphertexts[2].Context = nil
		_, err := client.DecryptAll(ctx, "my-key", ciphertexts...)
		wantError(t, err, kes.ErrDecrypt)
	})
}

// The release knows only the long names of algorithms, rules as arrays, and the own
// policy as an object.
func TestDocumentsOfNewerServers(t *testing.T) {
	withAdmin(t, func(t *testing.T, server server, client *kes.Client) {
		ctx := t.Context()
		must(t, client.CreateKey(ctx, "my-key"))
		_, described := client.DescribeKey(ctx, "my-key")
		_, got := client.GetPolicy(ctx, "app")
		_, _, self := server.client(t, application).DescribeSelf(ctx)
		for name, err := range map[string]error{"DescribeKey": described, "DescribeSelf": self, "GetPolicy": got} {
			if answer := (kes.Error{}); err == nil || errors.As(err, &answer) {
				t.Errorf("%s: %v, want a document that does not decode", name, err)
			}
		}
	})
}

// The release reads a line per entry, so that a whole page is one entry without a name.
func TestLists(t *testing.T) {
	withAdmin(t, func(t *testing.T, _ server, client *kes.Client) {
		ctx := t.Context()
		must(t, client.CreateKey(ctx, "one"))
		must(t, client.CreateKey(ctx, "two"))

		keys, err := client.ListKeys(ctx, "*")
		must(t, err)
		wantOne(t, keys, kes.KeyInfo{})
		policies, err := client.ListPolicies(ctx, "*")
		must(t, err)
		wantOne(t, policies, kes.PolicyInfo{})
		identities, err := client.ListIdentities(ctx, "*")
		must(t, err)
		wantOne(t, identities, kes.IdentityInfo{})
	})
}

func wantOne[T comparable](t *testing.T, list interface{ Values(int) ([]T, error) }, want T) {
	t.Helper()
	values, err := list.Values(0)
	must(t, err)
	if len(values) != 1 || values[0] != want {
		t.Fatalf("entries: %+v", values)
	}
}

func importKey(ctx context.Context, keys keyCalls, name string, key []byte) error {
	return keys.(interface {
		ImportKey(context.Context, string, []byte) error
	}).ImportKey(ctx, name, key)
}

func notServed(ctx context.Context, client *kes.Client) map[string]error {
	_, secrets := client.ListSecrets(ctx, "*")
	return map[string]error{
		"CreateEnclave": client.CreateEnclave(ctx, "tenant", application.Identity()),
		"ListSecrets":   secrets,
		"SetPolicy":     client.SetPolicy(ctx, "new", &kes.Policy{}),
	}
}
