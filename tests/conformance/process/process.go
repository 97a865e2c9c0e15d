// Package process starts the programs under test.
package process

import (
	"bufio"
	"bytes"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Server is a program that says on its standard output when it is ready.
type Server struct {
	// Name is what the program is called in failures.
	Name string
	// Path is the path of the program.
	Path      string
	Arguments []string
	// Environment is added to that of the test.
	Environment []string

	running *exec.Cmd
}

// Binary is the path of a program under test, which an environment variable names.
func Binary(t testing.TB, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		t.Fatalf("%s is not set; run `./dev test`", variable)
	}
	return path
}

// Launch starts the program, also again after its end, and returns its banner.
func (s *Server) Launch(t testing.TB) string {
	t.Helper()
	s.running = exec.Command(s.Path, s.Arguments...)
	s.running.Env = append(os.Environ(), s.Environment...)
	stdout, err := s.running.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	log := &lockedBuffer{}
	s.running.Stderr = log
	if err := s.running.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("error log of %s:\n%s", s.Name, log)
		}
	})

	banner := make(chan string, 1)
	go func() {
		var text strings.Builder
		ready := false
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if ready {
				continue
			}
			text.WriteString(lines.Text() + "\n")
			if ready = strings.Contains(lines.Text(), "up and running"); ready {
				banner <- text.String()
			}
		}
		close(banner)
	}()
	select {
	case text, ok := <-banner:
		if !ok {
			t.Fatalf("the server ended before it was ready:\n%s", log)
		}
		return text
	case <-time.After(30 * time.Second):
		t.Fatalf("the server is not ready after 30 s:\n%s", log)
	}
	return ""
}

// Stop asks the program to end and waits for it.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if s.running == nil {
		return
	}
	_ = s.running.Process.Signal(syscall.SIGTERM)
	if err := s.running.Wait(); err != nil {
		t.Errorf("%s: %v", s.Name, err)
	}
	s.running = nil
}

// Kill ends the program without a chance to do anything.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	_ = s.running.Process.Kill()
	_ = s.running.Wait()
	s.running = nil
}

// APIKey is the key on the line of the banner that operators search their logs for.
func APIKey(t testing.TB, banner string) string {
	t.Helper()
	for line := range strings.SplitSeq(banner, "\n") {
		if text, ok := strings.CutPrefix(line, "API Key"); ok {
			return strings.TrimSpace(text)
		}
	}
	t.Fatalf("no API key in the banner:\n%s", banner)
	return ""
}

// Run runs a program to its end, with additions to the environment of the test.
func Run(t testing.TB, environment []string, path string, arguments ...string) string {
	t.Helper()
	command := exec.Command(path, arguments...)
	command.Env = append(os.Environ(), environment...)
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", path, arguments, err, output)
	}
	return string(output)
}

// FreeAddress is a loopback address that was free a moment ago.
func FreeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// lockedBuffer is a buffer a process writes while a test reads it.
type lockedBuffer struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(data []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.Write(data)
}

func (b *lockedBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.String()
}
