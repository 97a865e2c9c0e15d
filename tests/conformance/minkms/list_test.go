package minkms

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"

	"github.com/minio/kms-go/kms"

	"keystead.test/conformance/overhttp"
)

// walk is the names that the client's iterator finds.
func walk[T any](t testing.TB, pages func(context.Context, *kms.ListRequest) (*kms.Page[T], error), request kms.ListRequest, name func(T) string) []string {
	t.Helper()
	iterator := kms.Iter[T]{NextFn: pages}
	var names []string
	item, err := iterator.SeekTo(t.Context(), &request)
	for ; err == nil; item, err = iterator.Next(t.Context()) {
		names = append(names, name(item))
	}
	if !errors.Is(err, io.EOF) {
		t.Fatalf("after %d items: %v", len(names), err)
	}
	return names
}

func keyName(item kms.KeyStatusResponse) string { return item.Name }

func TestTwentyFiveThousandKeys(t *testing.T) {
	names := make([]string, 25_000)
	for i := range names {
		names[i] = fmt.Sprintf("key-%05d", i)
	}
	creator := start(t, overhttp.HTTP2)
	createAll(t, creator.root(t), names)

	overhttp.Both(t, func(t *testing.T, protocol overhttp.Protocol) {
		ctx := t.Context()
		root := server{creator.Server, protocol}.root(t)

		// The page of a client that names no limit, as object servers do.
		page, err := root.ListKeys(ctx, &kms.ListRequest{Enclave: enclave})
		must(t, err)
		if len(page.Items) != 10_000 || page.ContinueAt != names[10_000] {
			t.Fatalf("%d items, continued at %q", len(page.Items), page.ContinueAt)
		}
		for _, item := range page.Items {
			if item.Version != 1 || item.Type != kms.AES256 || item.CreatedAt.IsZero() || item.CreatedBy.IsZero() {
				t.Fatalf("item: %+v", item)
			}
		}
		for _, limit := range []int{0, 999, 20_000} {
			if found := walk(t, root.ListKeys, kms.ListRequest{Enclave: enclave, Limit: limit}, keyName); !slices.Equal(found, names) {
				t.Fatalf("limit %d: %d names", limit, len(found))
			}
		}
		if found := walk(t, root.ListKeys, kms.ListRequest{Enclave: enclave, Prefix: "key-12", Limit: 77}, keyName); !slices.Equal(found, names[12_000:13_000]) {
			t.Fatalf("by prefix: %d names", len(found))
		}
		for from, want := range map[string][]string{
			"key-24990":  names[24_990:],
			"key-24990x": names[24_991:],
			"other":      nil,
		} {
			if found := walk(t, root.ListKeys, kms.ListRequest{Enclave: enclave, ContinueAt: from}, keyName); !slices.Equal(found, want) {
				t.Fatalf("from %q: %v", from, found)
			}
		}
		found := walk(t, root.ListKeys, kms.ListRequest{Enclave: enclave, Prefix: "key-1", ContinueAt: "key-2"}, keyName)
		if len(found) != 0 {
			t.Fatalf("beyond the prefix: %d names", len(found))
		}
		page, err = root.ListKeys(ctx, &kms.ListRequest{Enclave: enclave, Prefix: "key-0000", Limit: 10})
		must(t, err)
		if len(page.Items) != 10 || page.ContinueAt != "" {
			t.Fatalf("the last page: %d items, continued at %q", len(page.Items), page.ContinueAt)
		}
	})
}

// createAll creates keys with many requests at once, which the server commits together.
func createAll(t testing.TB, client *kms.Client, names []string) {
	t.Helper()
	var workers sync.WaitGroup
	next, failures := make(chan string), make(chan error, 1)
	for range 128 {
		workers.Go(func() {
			for name := range next {
				if err := client.CreateKey(t.Context(), enclave, &kms.CreateKeyRequest{Name: name}); err != nil {
					select {
					case failures <- fmt.Errorf("%s: %w", name, err):
					default:
					}
				}
			}
		})
	}
	for _, name := range names {
		next <- name
	}
	close(next)
	workers.Wait()
	select {
	case err := <-failures:
		t.Fatal(err)
	default:
	}
}
