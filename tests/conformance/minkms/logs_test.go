package minkms

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/minio/kms-go/kms"
)

const (
	// A record of every start, because the certificates of the tests are valid for a day.
	renewal = "certificate must be renewed"
	// A record of the lowest level.
	handshake = "TLS handshake failed"
)

// stranger speaks something else than TLS.
func stranger(t testing.TB, server server) {
	t.Helper()
	connection, err := net.Dial("tcp", server.Address)
	must(t, err)
	defer connection.Close()
	_, err = connection.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
	must(t, err)
}

// next is the next record with this text, and after none with the other.
func next(t testing.TB, stream *kms.LogResponse, text, other string) kms.LogRecord {
	t.Helper()
	for {
		record, ok := stream.Next()
		if !ok {
			t.Fatalf("the stream ended before %q: %v", text, stream.Close())
		}
		if strings.Contains(record.Message, text) {
			return record
		}
		if other != "" && strings.Contains(record.Message, other) {
			t.Fatalf("record: %+v", record)
		}
	}
}

func TestLogs(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		open := func(request *kms.LogRequest) *kms.LogResponse {
			t.Helper()
			request.Host = server.Address
			stream, err := root.Logs(ctx, request)
			must(t, err)
			t.Cleanup(func() { stream.Close() })
			return stream
		}

		// Only new records, or those of the past before them.
		fresh := open(&kms.LogRequest{Level: slog.LevelDebug, TraceLevel: slog.LevelDebug})
		past := open(&kms.LogRequest{Level: slog.LevelDebug, TraceLevel: slog.LevelError, Since: begin.Add(-time.Minute)})
		filtered := open(&kms.LogRequest{Level: slog.LevelDebug, Since: begin.Add(-time.Minute), Message: "handshake"})
		future := open(&kms.LogRequest{Level: slog.LevelDebug, Since: begin.Add(time.Hour)})
		stranger(t, server)
		record := next(t, fresh, handshake, renewal)
		recent(t, record.Time, begin)
		if record.Level != slog.LevelDebug || len(record.Trace) == 0 || record.Trace[0].File == "" || record.Trace[0].Line == 0 {
			t.Fatalf("record: %+v", record)
		}
		record = next(t, past, renewal, handshake)
		recent(t, record.Time, begin.Add(-time.Minute))
		if record.Level != slog.LevelWarn || len(record.Trace) != 0 {
			t.Fatalf("record: %+v", record)
		}
		next(t, past, handshake, "")
		next(t, filtered, handshake, " ")
		next(t, future, handshake, renewal)
	})
}

// A stream ends cleanly with the server, and holds nothing below its level.
func TestLogsEndWithTheServer(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		streams := map[slog.Level]*kms.LogResponse{}
		for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
			stream, err := root.Logs(t.Context(), &kms.LogRequest{Level: level, Since: time.Now().Add(-time.Minute)})
			must(t, err)
			streams[level] = stream
		}
		server.Stop(t)
		for level, stream := range streams {
			warnings := 0
			for record, ok := stream.Next(); ok; record, ok = stream.Next() {
				if record.Level < level {
					t.Errorf("%v: record %+v", level, record)
				}
				if strings.Contains(record.Message, renewal) {
					warnings++
				}
			}
			// Between two records, not inside of one.
			if err := stream.Close(); err != nil && err != io.EOF {
				t.Errorf("%v: %v", level, err)
			}
			if want := level <= slog.LevelWarn; want != (warnings == 1) {
				t.Errorf("%v: %d warnings", level, warnings)
			}
		}
	})
}

// There is no profiler, and the answer says so; asking for its status is no error.
func TestProfiling(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		ctx := t.Context()
		profile := &kms.ProfileRequest{Host: server.Address, CPU: true, Heap: true, BlockRate: 1, MutexFraction: 1}
		wantStatus(t, root.StartProfiling(ctx, profile), 501)
		_, err := root.StopProfiling(ctx, profile)
		wantStatus(t, err, 501)
		status, err := root.ProfilingStatus(ctx, profile)
		must(t, err)
		if status.CPU || status.Heap || status.Goroutine || status.Thread || status.BlockRate != 0 || status.MutexFraction != 0 {
			t.Fatalf("status: %+v", status)
		}
	})
}
