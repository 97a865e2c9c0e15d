package conformance

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/encrypt"
	"github.com/minio/minio-go/v7/pkg/sse"

	"github.com/minio/kms-go/kes"

	"keystead.test/conformance/kestest"
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
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	key := kestest.NewKey(t)
	server := kestest.Start(t, kestest.Config{
		Policies: strings.ReplaceAll(minioPolicy, "IDENTITY", key.Identity().String()),
	})
	admin := server.Client(t, kestest.HTTP2, server.Admin)
	must(t, admin.CreateKey(ctx, "minio-other"))
	store := startObjectServer(t, server, key)

	// The object server made its default key itself.
	_, err := admin.DescribeKey(ctx, "minio-default")
	must(t, err)

	must(t, store.MakeBucket(ctx, "plain", minio.MakeBucketOptions{}))
	must(t, store.MakeBucket(ctx, "sse-s3", minio.MakeBucketOptions{}))
	must(t, store.SetBucketEncryption(ctx, "sse-s3", sse.NewConfigurationSSES3()))
	must(t, store.MakeBucket(ctx, "sse-kms", minio.MakeBucketOptions{}))
	must(t, store.SetBucketEncryption(ctx, "sse-kms", sse.NewConfigurationSSEKMS("minio-other")))
	withContext, err := encrypt.NewSSEKMS("minio-other", map[string]string{"project": "keystead"})
	must(t, err)

	small, large := []byte("a small object"), bytes.Repeat([]byte("large "), 2_000_000)
	objects := []object{
		{"sse-s3", "small", small, nil, "AES256", ""},
		{"sse-s3", "large", large, nil, "AES256", ""},
		{"sse-kms", "small", small, nil, "aws:kms", "minio-other"},
		{"plain", "by-request", small, encrypt.NewSSE(), "AES256", ""},
		{"plain", "with-context", large, withContext, "aws:kms", "minio-other"},
	}
	for _, object := range objects {
		object.put(t, ctx, store)
	}
	for _, object := range objects {
		object.check(t, ctx, store)
	}

	server.Stop(t)
	if err := objects[0].get(ctx, store); err == nil {
		t.Fatal("an object was opened without the key server")
	}
	store.restart(t, server.Launch)
	for _, object := range objects {
		object.check(t, ctx, store)
	}

	must(t, admin.DeleteKey(ctx, "minio-other"))
	server.Stop(t)
	server.Launch(t)
	if err := objects[2].get(ctx, store); err == nil {
		t.Fatal("an object was opened without its key")
	}
	objects[0].check(t, ctx, store)
}

type object struct {
	bucket, name string
	content      []byte
	encryption   encrypt.ServerSide
	algorithm    string
	key          string
}

func (o object) put(t *testing.T, ctx context.Context, store *objectServer) {
	t.Helper()
	_, err := store.PutObject(ctx, o.bucket, o.name, bytes.NewReader(o.content), int64(len(o.content)),
		minio.PutObjectOptions{ServerSideEncryption: o.encryption})
	must(t, err)
}

func (o object) get(ctx context.Context, store *objectServer) error {
	reader, err := store.GetObject(ctx, o.bucket, o.name, minio.GetObjectOptions{})
	if err != nil {
		return err
	}
	defer reader.Close()
	content, err := io.ReadAll(reader)
	if err == nil && !bytes.Equal(content, o.content) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (o object) check(t *testing.T, ctx context.Context, store *objectServer) {
	t.Helper()
	if err := o.get(ctx, store); err != nil {
		t.Fatalf("%s/%s: %v", o.bucket, o.name, err)
	}
	info, err := store.StatObject(ctx, o.bucket, o.name, minio.StatObjectOptions{})
	must(t, err)
	if algorithm := info.Metadata.Get("X-Amz-Server-Side-Encryption"); algorithm != o.algorithm {
		t.Fatalf("%s/%s is sealed by %q", o.bucket, o.name, algorithm)
	}
	if key := info.Metadata.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"); !strings.HasSuffix(key, o.key) {
		t.Fatalf("%s/%s is sealed with key %q", o.bucket, o.name, key)
	}
}

// objectServer is a running MinIO with one drive.
type objectServer struct {
	*minio.Client
	command func() *exec.Cmd
	process *exec.Cmd
	log     *os.File
}

func startObjectServer(t *testing.T, server *kestest.Server, key kes.APIKey) *objectServer {
	t.Helper()
	binary := os.Getenv("KEYSTEAD_MINIO")
	if binary == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("KEYSTEAD_MINIO is not set")
		}
		t.Skip("KEYSTEAD_MINIO is not set; run `./dev test`")
	}
	folder := t.TempDir()
	log, err := os.Create(filepath.Join(folder, "log"))
	must(t, err)
	address, console := kestest.FreeAddress(t), kestest.FreeAddress(t)
	store := &objectServer{log: log, command: func() *exec.Cmd {
		process := exec.Command(binary, "server", filepath.Join(folder, "drive"),
			"--address", address, "--console-address", console, "--quiet")
		process.Env = []string{
			"HOME=" + folder,
			"MINIO_BROWSER=off",
			"MINIO_ROOT_USER=root-user",
			"MINIO_ROOT_PASSWORD=root-password",
			"MINIO_UPDATE=off",
			"MINIO_KMS_KES_ENDPOINT=" + server.Endpoint,
			"MINIO_KMS_KES_API_KEY=" + key.String(),
			"MINIO_KMS_KES_KEY_NAME=minio-default",
			"MINIO_KMS_KES_CAPATH=" + server.Certificate,
		}
		process.Stdout, process.Stderr = log, log
		return process
	}}
	store.Client, err = minio.New(address, &minio.Options{
		Creds:      credentials.NewStaticV4("root-user", "root-password", ""),
		MaxRetries: 1,
	})
	must(t, err)
	store.launch(t)
	t.Cleanup(func() {
		store.stop(t)
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("object server:\n%s", text)
		}
		log.Close()
	})
	return store
}

// restart ends the object server, lets the key server come back, and starts again.
func (s *objectServer) restart(t *testing.T, between func(testing.TB) string) {
	t.Helper()
	s.stop(t)
	between(t)
	s.launch(t)
}

func (s *objectServer) launch(t *testing.T) {
	t.Helper()
	s.process = s.command()
	must(t, s.process.Start())
	ready := s.EndpointURL().JoinPath("/minio/health/ready").String()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if response, err := http.Get(ready); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
	}
	t.Fatal("the object server is not ready after a minute")
}

func (s *objectServer) stop(t *testing.T) {
	t.Helper()
	must(t, s.process.Process.Signal(syscall.SIGTERM))
	// Its exit status after a signal is not part of the test.
	_ = s.process.Wait()
}
