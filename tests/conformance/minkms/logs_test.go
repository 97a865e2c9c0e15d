package minkms

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/minio/kms-go/kms"
)

// refusal makes a record of the error log and returns the identity in it.
func refusal(t testing.TB, server server) string {
	t.Helper()
	key := newKey(t)
	_, err := server.client(t, key).GenerateKey(t.Context(), enclave, &kms.GenerateKeyRequest{Name: "my-key"})
	wantError(t, err, kms.ErrPermission)
	return key.Identity().String()
}

// next is the next record with this text.
func next(t testing.TB, stream *kms.LogResponse, text string) kms.LogRecord {
	t.Helper()
	for {
		record, ok := stream.Next()
		if !ok {
			t.Fatalf("the stream ended before %q: %v", text, stream.Close())
		}
		if strings.Contains(record.Message, text) {
			return record
		}
	}
}

func TestLogs(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin, before := time.Now(), refusal(t, server)
		open := func(request *kms.LogRequest) *kms.LogResponse {
			t.Helper()
			request.Host, request.Level = server.Address, slog.LevelDebug
			stream, err := root.Logs(ctx, request)
			must(t, err)
			return stream
		}
		fresh := open(&kms.LogRequest{TraceLevel: slog.LevelDebug})
		defer fresh.Close()
		one, two := refusal(t, server), refusal(t, server)
		for _, identity := range []string{one, two} {
			record := next(t, fresh, identity)
			if strings.Contains(record.Message, before) {
				t.Fatal("a record of the past was sent")
			}
			recent(t, record.Time, begin)
			if len(record.Trace) == 0 || record.Trace[0].File == "" || record.Trace[0].Line == 0 {
				t.Fatalf("record without its place: %+v", record)
			}
		}

		past := open(&kms.LogRequest{Since: begin, TraceLevel: slog.LevelError + 1})
		defer past.Close()
		for _, identity := range []string{before, one, two} {
			if record := next(t, past, identity); len(record.Trace) != 0 {
				t.Fatalf("record with its place: %+v", record)
			}
		}
		filtered := open(&kms.LogRequest{Since: begin, Message: two})
		defer filtered.Close()
		for _, identity := range []string{two} {
			record, ok := filtered.Next()
			if !ok || !strings.Contains(record.Message, identity) {
				t.Fatalf("record: %+v", record)
			}
		}
		future := open(&kms.LogRequest{Since: time.Now().Add(time.Hour)})
		defer future.Close()
		next(t, future, refusal(t, server))
	})
}

// A stream ends cleanly with the server, and holds nothing below its level.
func TestLogsEndWithTheServer(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		begin := time.Now()
		refusal(t, server)
		streams := map[slog.Level]*kms.LogResponse{}
		for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError, slog.LevelError + 4} {
			stream, err := root.Logs(t.Context(), &kms.LogRequest{Level: level, Since: begin})
			must(t, err)
			streams[level] = stream
		}
		server.Stop(t)
		for level, stream := range streams {
			count := 0
			for record, ok := stream.Next(); ok; record, ok = stream.Next() {
				if record.Level < level {
					t.Errorf("%v: record %+v", level, record)
				}
				count++
			}
			if err := stream.Close(); err != nil {
				t.Errorf("%v: %v", level, err)
			}
			if level == slog.LevelDebug && count == 0 || level > slog.LevelError && count > 0 {
				t.Errorf("%v: %d records", level, count)
			}
		}
	})
}

func TestProfiling(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		ctx, begin := t.Context(), time.Now()
		must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "my-key"}))
		profile := &kms.ProfileRequest{Host: server.Address, CPU: true}
		if _, err := root.StopProfiling(ctx, profile); err == nil {
			t.Fatal("a profile that was never started")
		}
		must(t, root.StartProfiling(ctx, profile))
		status, err := root.ProfilingStatus(ctx, profile)
		must(t, err)
		if !status.CPU || status.Heap || status.Goroutine || status.Thread || status.BlockRate != 0 || status.MutexFraction != 0 {
			t.Fatalf("status: %+v", status)
		}
		recent(t, status.Started, begin)
		if err := root.StartProfiling(ctx, profile); err == nil {
			t.Fatal("two profiles at once")
		}
		for range 20 {
			_, err := root.GenerateKey(ctx, enclave, manyKeys(1000)...)
			must(t, err)
		}

		response, err := root.StopProfiling(ctx, profile)
		must(t, err)
		defer response.Close()
		archive, files := tar.NewReader(response), 0
		for header, err := archive.Next(); !errors.Is(err, io.EOF); header, err = archive.Next() {
			must(t, err)
			content, err := gzip.NewReader(archive)
			must(t, err)
			size, err := io.Copy(io.Discard, content)
			must(t, err)
			if size == 0 {
				t.Fatalf("%s is empty", header.Name)
			}
			files++
		}
		if files != 1 {
			t.Fatalf("%d files", files)
		}
		if status, err := root.ProfilingStatus(ctx, profile); err == nil && status.CPU {
			t.Fatalf("status: %+v", status)
		}
	})
}

func manyKeys(count int) []*kms.GenerateKeyRequest {
	requests := make([]*kms.GenerateKeyRequest, count)
	for i := range requests {
		requests[i] = &kms.GenerateKeyRequest{Name: "my-key"}
	}
	return requests
}
