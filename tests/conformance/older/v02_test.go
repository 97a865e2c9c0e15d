//go:build !v0.1

package older

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/minio/kes-go"
)

func TestStatusAndReadiness(t *testing.T) {
	withAdmin(t, func(t *testing.T, _ server, client *kes.Client) {
		state, err := client.Status(t.Context())
		must(t, err)
		if !state.KeyStoreReachable || !state.KeystoreAvailable || state.HeapAlloc == 0 {
			t.Fatalf("state: %+v", state)
		}
		ready, err := client.IsReady(t.Context())
		must(t, err)
		if !ready {
			t.Fatal("not ready")
		}
	})
}

func TestDescribeKey(t *testing.T) {
	withAdmin(t, func(t *testing.T, server server, client *kes.Client) {
		ctx, before := t.Context(), time.Now().Add(-time.Second)
		for name, cipher := range map[string]kes.KeyAlgorithm{"aes": kes.AES256, "chacha": kes.ChaCha20} {
			must(t, client.ImportKey(ctx, name, &kes.ImportKeyRequest{Key: make([]byte, 32), Cipher: cipher}))
			info, err := client.DescribeKey(ctx, name)
			must(t, err)
			if info.Name != name || info.Algorithm != cipher || info.CreatedAt.Before(before) ||
				info.CreatedBy != kes.Identity(server.Admin.Identity()) {
				t.Fatalf("description: %+v", info)
			}
		}
	})
}

func TestLists(t *testing.T) {
	withAdmin(t, func(t *testing.T, server server, client *kes.Client) {
		ctx := t.Context()
		for _, name := range []string{"one", "other", "two"} {
			must(t, client.CreateKey(ctx, name))
		}
		identities := []kes.Identity{kes.Identity(server.Admin.Identity()), application.Identity()}
		slices.Sort(identities)

		for _, prefix := range []string{"", "*"} {
			wantList(t, client.ListKeys, prefix, "one", "other", "two")
			wantList(t, client.ListPolicies, prefix, "app")
			wantList(t, client.ListIdentities, prefix, identities...)
		}
		wantList(t, client.Enclave("tenant").ListKeys, "o", "one", "other")
		wantList(t, client.ListPolicies, "b")
	})
}

func wantList[T comparable](t *testing.T, next func(context.Context, string, int) ([]T, string, error), prefix string, want ...T) {
	t.Helper()
	page, more, err := next(t.Context(), prefix, 0)
	must(t, err)
	if more != "" || !slices.Equal(page, want) {
		t.Fatalf("with prefix %q: %v, continued at %q", prefix, page, more)
	}
	list := kes.ListIter[T]{NextFunc: next}
	var items []T
	item, err := list.SeekTo(t.Context(), prefix)
	for ; err == nil; item, err = list.Next(t.Context()) {
		items = append(items, item)
	}
	if !errors.Is(err, io.EOF) || !slices.Equal(items, want) {
		t.Fatalf("with prefix %q: %v, %v", prefix, items, err)
	}
}

func TestRulesOfAPolicy(t *testing.T) {
	withAdmin(t, func(t *testing.T, server server, admin *kes.Client) {
		got, err := admin.GetPolicy(t.Context(), "app")
		must(t, err)
		info, own, err := server.client(t, application).DescribeSelf(t.Context())
		must(t, err)
		if info.Identity != application.Identity() || info.IsAdmin || info.Policy != "app" {
			t.Fatalf("application: %+v", info)
		}
		for _, policy := range []*kes.Policy{got, own} {
			_, allowed := policy.Allow["/v1/key/create/app-*"]
			_, denied := policy.Deny["/v1/key/create/app-secret"]
			if !allowed || !denied || len(policy.Allow) != 1 || len(policy.Deny) != 1 {
				t.Fatalf("policy: %+v", policy)
			}
		}
	})
}

func importKey(ctx context.Context, keys keyCalls, name string, key []byte) error {
	request := &kes.ImportKeyRequest{Key: key, Cipher: kes.AES256}
	return keys.(interface {
		ImportKey(context.Context, string, *kes.ImportKeyRequest) error
	}).ImportKey(ctx, name, request)
}

func notServed(ctx context.Context, client *kes.Client) map[string]error {
	_, described := client.DescribeCluster(ctx)
	_, _, enclaves := client.ListEnclaves(ctx, "", 0)
	_, _, secrets := client.ListSecrets(ctx, "", 0)
	request := &kes.CreateIdentityRequest{Policy: "app"}
	return map[string]error{
		"CreateEnclave":   client.CreateEnclave(ctx, "tenant"),
		"CreateIdentity":  client.Enclave("tenant").CreateIdentity(ctx, application.Identity(), request),
		"CreatePolicy":    client.CreatePolicy(ctx, "new", &kes.Policy{}),
		"DescribeCluster": described,
		"ExpandCluster":   client.ExpandCluster(ctx, "127.0.0.1:7373"),
		"ListEnclaves":    enclaves,
		"ListSecrets":     secrets,
		"ShrinkCluster":   client.ShrinkCluster(ctx, "127.0.0.1:7373"),
	}
}
