package objectserver

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/encrypt"
	"github.com/minio/minio-go/v7/pkg/sse"

	"keystead.test/conformance/expect"
)

// Object is an encrypted object of a test.
type Object struct {
	Bucket, Name string
	Content      []byte
	// Encryption is asked for with the object; empty for that of its bucket.
	Encryption encrypt.ServerSide
	// Algorithm and Key are what the object server says about it.
	Algorithm string
	Key       string
}

// MakeObjects creates buckets with every kind of encryption, the key `other` beside the
// default one, and objects in them.
func MakeObjects(t testing.TB, store *Server, other string) []Object {
	t.Helper()
	ctx := t.Context()
	for bucket, encryption := range map[string]*sse.Configuration{
		"plain":   nil,
		"sse-s3":  sse.NewConfigurationSSES3(),
		"sse-kms": sse.NewConfigurationSSEKMS(other),
	} {
		expect.Must(t, store.MakeBucket(ctx, bucket, minio.MakeBucketOptions{}))
		if encryption != nil {
			expect.Must(t, store.SetBucketEncryption(ctx, bucket, encryption))
		}
	}
	withContext, err := encrypt.NewSSEKMS(other, map[string]string{"project": "keystead"})
	expect.Must(t, err)
	small, large := []byte("a small object"), bytes.Repeat([]byte("large "), 2_000_000)
	objects := []Object{
		{"sse-s3", "small", small, nil, "AES256", ""},
		{"sse-s3", "large", large, nil, "AES256", ""},
		{"sse-kms", "small", small, nil, "aws:kms", other},
		{"plain", "by-request", small, encrypt.NewSSE(), "AES256", ""},
		{"plain", "with-context", large, withContext, "aws:kms", other},
	}
	for _, object := range objects {
		object.Put(t, ctx, store)
	}
	CheckAll(t, store, objects)
	return objects
}

// CheckAll reads every object.
func CheckAll(t testing.TB, store *Server, objects []Object) {
	t.Helper()
	for _, object := range objects {
		object.Check(t, t.Context(), store)
	}
}

// Put stores the object.
func (o Object) Put(t testing.TB, ctx context.Context, store *Server) {
	t.Helper()
	_, err := store.PutObject(ctx, o.Bucket, o.Name, bytes.NewReader(o.Content), int64(len(o.Content)),
		minio.PutObjectOptions{ServerSideEncryption: o.Encryption})
	expect.Must(t, err)
}

// Get reads the object.
func (o Object) Get(ctx context.Context, store *Server) error {
	reader, err := store.GetObject(ctx, o.Bucket, o.Name, minio.GetObjectOptions{})
	if err != nil {
		return err
	}
	defer reader.Close()
	content, err := io.ReadAll(reader)
	if err == nil && !bytes.Equal(content, o.Content) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Check reads the object and what the object server says about its encryption.
func (o Object) Check(t testing.TB, ctx context.Context, store *Server) {
	t.Helper()
	if err := o.Get(ctx, store); err != nil {
		t.Fatalf("%s/%s: %v", o.Bucket, o.Name, err)
	}
	info, err := store.StatObject(ctx, o.Bucket, o.Name, minio.StatObjectOptions{})
	expect.Must(t, err)
	if algorithm := info.Metadata.Get("X-Amz-Server-Side-Encryption"); algorithm != o.Algorithm {
		t.Fatalf("%s/%s is sealed by %q", o.Bucket, o.Name, algorithm)
	}
	if key := info.Metadata.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"); !strings.HasSuffix(key, o.Key) {
		t.Fatalf("%s/%s is sealed with key %q", o.Bucket, o.Name, key)
	}
}
