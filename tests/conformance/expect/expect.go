// Package expect ends tests whose calls did not end as expected.
package expect

import (
	"errors"
	"testing"
)

// Must ends the test on an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Error compares as applications do: by equality with an error of the client.
func Error(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}
