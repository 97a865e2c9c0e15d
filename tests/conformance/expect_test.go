package conformance

import (
	"testing"

	"github.com/minio/kms-go/kes"

	"keystead.test/conformance/kestest"
)

var (
	must      = kestest.Must
	wantError = kestest.WantError
)

func wantStatus(t testing.TB, err error, status int, message string) {
	t.Helper()
	wantError(t, err, kes.NewError(status, message))
}
