package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minio/kms-go/kes"

	"keystead.test/conformance/kestest"
)

func TestListFiveThousandKeys(t *testing.T) {
	kestest.WithAdmin(t, func(t *testing.T, server *kestest.Server, client *kes.Client) {
		ctx := t.Context()
		names := fill(t, server, client, 5000, func(i int) string { return fmt.Sprintf("key-%04d", i) })

		listed, next, err := client.ListKeys(ctx, "", 0)
		must(t, err)
		if next != "" || !slices.Equal(listed, names) {
			t.Fatalf("%d names on one page, continued at %q", len(listed), next)
		}
		listed, _, err = client.ListKeys(ctx, "key-12", 0)
		must(t, err)
		if len(listed) != 100 || listed[0] != "key-1200" || listed[99] != "key-1299" {
			t.Fatalf("by prefix: %v", listed)
		}
		for _, pattern := range []string{"*", "key*"} {
			listed, _, err = client.ListKeys(ctx, pattern, 0)
			must(t, err)
			if len(listed) != len(names) {
				t.Fatalf("%q lists %d names", pattern, len(listed))
			}
		}
		listed, _, err = client.ListKeys(ctx, "other", 0)
		must(t, err)
		if len(listed) != 0 {
			t.Fatalf("names of nothing: %v", listed)
		}
	})
}

// One page ends below 1,000,000 bytes, which is what the client reads at most.
func TestIteratorWalksEveryPage(t *testing.T) {
	kestest.WithAdmin(t, func(t *testing.T, server *kestest.Server, client *kes.Client) {
		ctx := t.Context()
		names := fill(t, server, client, 26_000, func(i int) string {
			return fmt.Sprintf("key-%06d-%s", i, strings.Repeat("x", 69))
		})

		page, next, err := client.ListKeys(ctx, "", 0)
		must(t, err)
		if len(page) >= len(names) || next == "" {
			t.Fatalf("%d names on the first page, continued at %q", len(page), next)
		}
		for prefix, want := range map[string][]string{"": names, "key-0": names, "key-01": names[10_000:20_000]} {
			if listed := walk(t, ctx, client, prefix); !slices.Equal(listed, want) {
				t.Fatalf("with prefix %q: %d of %d names", prefix, len(listed), len(want))
			}
		}
	})
}

func walk(t *testing.T, ctx context.Context, client *kes.Client, prefix string) []string {
	t.Helper()
	iterator := kes.ListIter[string]{NextFunc: client.ListKeys}
	var names []string
	name, err := iterator.SeekTo(ctx, prefix)
	for ; err == nil; name, err = iterator.Next(ctx) {
		names = append(names, name)
	}
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return names
}

// fill stores one created key under many names, by links in the server's store.
func fill(t *testing.T, server *kestest.Server, client *kes.Client, count int, name func(int) string) []string {
	t.Helper()
	names := make([]string, 0, count)
	for i := range count {
		names = append(names, name(i))
		if i == 0 {
			must(t, client.CreateKey(t.Context(), names[0]))
			continue
		}
		must(t, os.Link(filepath.Join(server.Store, names[0]), filepath.Join(server.Store, names[i])))
	}
	return names
}
