package conformance

import (
	"testing"

	"github.com/minio/kms-go/kes"

	"keystead.test/conformance/expect"
)

var (
	must      = expect.Must
	wantError = expect.Error
)

func wantStatus(t testing.TB, err error, status int, message string) {
	t.Helper()
	wantError(t, err, kes.NewError(status, message))
}
