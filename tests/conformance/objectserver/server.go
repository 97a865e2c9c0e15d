// Package objectserver starts MinIO for a test and checks what it keeps.
package objectserver

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/signer"

	"keystead.test/conformance/expect"
	"keystead.test/conformance/process"
)

const (
	user     = "root-user"
	password = "root-password"
)

// Server is a running MinIO with one drive.
type Server struct {
	*minio.Client
	// KMS is the part of the environment that names the key server.
	KMS []string

	binary    string
	folder    string
	arguments []string
	running   *exec.Cmd
	log       *os.File
}

// Start starts MinIO with settings of a key server and stops it with the test.
//
// The certificate of the key server goes where MinIO looks for authorities.
func Start(t *testing.T, certificate string, kms ...string) *Server {
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
	expect.Must(t, err)
	address, console := process.FreeAddress(t), process.FreeAddress(t)
	server := &Server{KMS: kms, binary: binary, folder: folder, log: log, arguments: []string{
		"server", filepath.Join(folder, "drive"), "--address", address, "--console-address", console, "--quiet",
	}}
	if certificate != "" {
		server.Trust(t, certificate)
	}
	server.Client, err = minio.New(address, &minio.Options{
		Creds:      credentials.NewStaticV4(user, password, ""),
		MaxRetries: 1,
	})
	expect.Must(t, err)
	server.Launch(t)
	t.Cleanup(func() {
		server.Stop(t)
		if t.Failed() {
			t.Logf("object server:\n%s", server.Log(t))
		}
		log.Close()
	})
	return server
}

// Trust adds a certificate to the authorities, from the next start on.
func (s *Server) Trust(t testing.TB, certificate string) {
	t.Helper()
	authorities := filepath.Join(s.folder, ".minio", "certs", "CAs")
	expect.Must(t, os.MkdirAll(authorities, 0o700))
	pem, err := os.ReadFile(certificate)
	expect.Must(t, err)
	expect.Must(t, os.WriteFile(filepath.Join(authorities, filepath.Base(filepath.Dir(certificate))+".crt"), pem, 0o600))
}

// Restart ends the object server, does something, and starts it again.
func (s *Server) Restart(t testing.TB, between func()) {
	t.Helper()
	s.Stop(t)
	between()
	s.Launch(t)
}

// Launch starts the object server and waits until it can seal objects.
func (s *Server) Launch(t testing.TB) {
	t.Helper()
	s.run(t)
	ready := s.EndpointURL().JoinPath("/minio/health/ready").String()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if response, err := http.Get(ready); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				// What is ready by its own word still refuses requests for a moment.
				if _, err := s.ListBuckets(t.Context()); err == nil {
					return
				}
			}
		}
	}
	t.Fatalf("the object server is not ready after a minute:\n%s", s.Log(t))
}

// Refuses expects that the object server ends right after its start; it returns its log.
func (s *Server) Refuses(t testing.TB) string {
	t.Helper()
	before := len(s.Log(t))
	s.run(t)
	ended := make(chan error, 1)
	go func() { ended <- s.running.Wait() }()
	select {
	case err := <-ended:
		s.running = nil
		if err == nil {
			t.Fatal("the object server ended without an error")
		}
	case <-time.After(time.Minute):
		t.Fatalf("the object server goes on:\n%s", s.Log(t)[before:])
	}
	return s.Log(t)[before:]
}

func (s *Server) run(t testing.TB) {
	t.Helper()
	s.running = exec.Command(s.binary, s.arguments...)
	s.running.Env = append([]string{
		"HOME=" + s.folder,
		"MINIO_BROWSER=off",
		"MINIO_ROOT_USER=" + user,
		"MINIO_ROOT_PASSWORD=" + password,
		"MINIO_UPDATE=off",
	}, s.KMS...)
	s.running.Stdout, s.running.Stderr = s.log, s.log
	expect.Must(t, s.running.Start())
}

// Stop ends the object server.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if s.running == nil {
		return
	}
	expect.Must(t, s.running.Process.Signal(syscall.SIGTERM))
	// Its exit status after a signal is not part of the test.
	_ = s.running.Wait()
	s.running = nil
}

// Log is all the object server has written so far.
func (s *Server) Log(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(s.log.Name())
	expect.Must(t, err)
	return string(text)
}

// Admin calls an administrative API as `mc admin` does; it returns status and body.
func (s *Server) Admin(t testing.TB, method, path string, query url.Values, body string) (int, string) {
	t.Helper()
	address := s.EndpointURL().JoinPath(path)
	address.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(t.Context(), method, address.String(), strings.NewReader(body))
	expect.Must(t, err)
	request.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	response, err := http.DefaultClient.Do(signer.SignV4(*request, user, password, "", ""))
	expect.Must(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	expect.Must(t, err)
	return response.StatusCode, string(answer)
}
