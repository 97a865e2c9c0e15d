package conformance

import (
	"strings"
	"testing"

	"keystead.test/conformance/kestest"
	"keystead.test/conformance/objectserver"
	"keystead.test/conformance/overhttp"
)

// The rights the object server's documentation asks for.
const minioPolicy = `  minio:
    allow:
      - /v1/key/create/minio-*
      - /v1/key/generate/minio-*
      - /v1/key/decrypt/minio-*
      - /v1/key/describe/minio-*
      - /v1/status
      - /v1/api
      - /v1/metrics
      - /v1/log/error
      - /v1/log/audit
    identities: [ "IDENTITY" ]
`

func TestObjectServerKeepsItsObjects(t *testing.T) {
	ctx := t.Context()
	key := kestest.NewKey(t)
	server := kestest.Start(t, kestest.Config{
		Policies: strings.ReplaceAll(minioPolicy, "IDENTITY", key.Identity().String()),
	})
	admin := server.Client(t, overhttp.HTTP2, server.Admin)
	must(t, admin.CreateKey(ctx, "minio-other"))
	store := objectserver.Start(t, "",
		"MINIO_KMS_KES_ENDPOINT="+server.Endpoint,
		"MINIO_KMS_KES_API_KEY="+key.String(),
		"MINIO_KMS_KES_KEY_NAME=minio-default",
		"MINIO_KMS_KES_CAPATH="+server.Certificate)

	// The object server made its default key itself.
	_, err := admin.DescribeKey(ctx, "minio-default")
	must(t, err)
	objects := objectserver.MakeObjects(t, store, "minio-other")

	server.Stop(t)
	if err := objects[0].Get(ctx, store); err == nil {
		t.Fatal("an object was opened without the key server")
	}
	store.Restart(t, func() { server.Launch(t) })
	objectserver.CheckAll(t, store, objects)

	must(t, admin.DeleteKey(ctx, "minio-other"))
	server.Stop(t)
	server.Launch(t)
	if err := objects[2].Get(ctx, store); err == nil {
		t.Fatal("an object was opened without its key")
	}
	objects[0].Check(t, ctx, store)
}
