package conformance

import (
	"errors"
	"testing"

	"github.com/minio/kms-go/kes"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantError compares as applications do: by equality with a predefined error.
func wantError(t testing.TB, err error, want kes.Error) {
	t.Helper()
	if err != want && !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}

func wantStatus(t testing.TB, err error, status int, message string) {
	t.Helper()
	wantError(t, err, kes.NewError(status, message))
}
