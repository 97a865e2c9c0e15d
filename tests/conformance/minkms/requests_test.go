package minkms

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/minio/kms-go/kms"
	"github.com/minio/kms-go/kms/cmds"

	"keystead.test/conformance/kmstest"
	"keystead.test/conformance/overhttp"
	"keystead.test/conformance/process"
)

// frame is one command as it goes over the wire.
func frame(command cmds.Command, payload string) []byte {
	head := binary.BigEndian.AppendUint16(nil, uint16(command))
	return append(binary.BigEndian.AppendUint32(head, uint32(len(payload))), payload...)
}

// Bodies that the client never makes, through its lowest call.
func TestRequestsByHand(t *testing.T) {
	withRoot(t, func(t *testing.T, _ server, root *kms.Client) {
		ctx := t.Context()
		create, generate := frame(cmds.KeyCreate, "\x0a\x06my-key"), frame(cmds.KeyGenerate, "\x0a\x06my-key")
		send := func(enclave string, body []byte) error {
			response, err := root.Send(ctx, &kms.Request{Enclave: enclave, Body: body})
			if err != nil {
				return err
			}
			defer response.Body.Close()
			answer, err := io.ReadAll(response.Body)
			must(t, err)
			if response.ContentLength != int64(len(answer)) || response.Header.Get("Content-Type") != "application/octet-stream" ||
				response.Header.Get("Content-Encoding") != "" || len(answer) < 6 || !bytes.Equal(answer[:2], body[:2]) {
				t.Fatalf("answer %x, headers %v", answer, response.Header)
			}
			return nil
		}
		must(t, send(enclave, create))
		must(t, send(enclave, generate))
		must(t, send(enclave, slices.Concat(generate, frame(cmds.KeyStatus, "\x0a\x06my-key"), generate)))
		must(t, send("", frame(cmds.EnclaveStatus, "\x0a\x08tenant-1")))

		for name, body := range map[string][]byte{
			"no frame":           {},
			"half a head":        generate[:5],
			"half a payload":     generate[:len(generate)-1],
			"rest":               append(slices.Clone(generate), 1),
			"unknown code":       frame(999, ""),
			"no protobuf":        frame(cmds.KeyGenerate, "\x0a\xff"),
			"two changes":        slices.Concat(create, create),
			"change and reading": slices.Concat(create, generate),
			"cluster level":      frame(cmds.ClusterStatus, ""),
		} {
			response, err := root.Send(ctx, &kms.Request{Enclave: enclave, Body: body})
			if err == nil {
				response.Body.Close()
				t.Errorf("%s: status %d", name, response.StatusCode)
				continue
			}
			wantStatus(t, err, http.StatusBadRequest)
		}
		_, err := root.Send(ctx, &kms.Request{Body: generate})
		wantStatus(t, err, http.StatusBadRequest)
		_, err = root.Send(ctx, &kms.Request{Enclave: enclave, Body: bytes.Repeat(generate, 10_001)})
		wantStatus(t, err, http.StatusRequestEntityTooLarge)
		_, err = root.Send(ctx, &kms.Request{Enclave: enclave, Body: slices.Concat(create, generate)})
		wantAnswer(t, err, 400, "a state change must be the only command of its request")
		_, err = root.Send(ctx, &kms.Request{Enclave: "absent", Body: generate})
		wantError(t, err, kms.ErrEnclaveNotFound)
	})
}

// The client goes on with the next server, whichever of them is gone.
func TestFailOver(t *testing.T) {
	overhttp.Both(t, func(t *testing.T, protocol overhttp.Protocol) {
		ctx := t.Context()
		one := start(t, protocol)
		must(t, one.root(t).CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "my-key"}))
		response, err := one.root(t).ReadDB(ctx, &kms.ReadDBRequest{})
		must(t, err)
		defer response.Close()
		two := server{kmstest.Start(t, kmstest.Config{HSMKey: one.HSMKey}), protocol}
		must(t, two.root(t).WriteDB(ctx, &kms.WriteDBRequest{Host: two.Address, Body: response}))

		for _, stopped := range []server{one, two} {
			certificate, err := kms.GenerateCertificate(one.rootKey(t), nil)
			must(t, err)
			config := one.TLS(t, certificate)
			kmstest.Trust(t, config.RootCAs, two.Server)
			client, err := kms.NewClient(&kms.Config{
				Endpoints: []string{one.Address, two.Address},
				Transport: overhttp.Transport(t, protocol, config),
			})
			must(t, err)
			stopped.Stop(t)
			for range 8 {
				_, err := client.GenerateKey(ctx, enclave, &kms.GenerateKeyRequest{Name: "my-key"})
				must(t, err)
			}
			stopped.Launch(t)
		}
	})
}

// One server that says what it is makes a cluster of one.
func TestJoinOfOneServer(t *testing.T) {
	server := start(t, overhttp.HTTP2)
	config := &kms.Config{Endpoints: []string{server.Address}, APIKey: server.rootKey(t), TLS: server.TLS(t)}
	must(t, kms.Join(t.Context(), config))
	config.Endpoints = append(config.Endpoints, process.FreeAddress(t))
	if err := kms.Join(t.Context(), config); err == nil {
		t.Fatal("a server that is not there has joined")
	}
}

func TestCancelledRequestsAreNotErrorsOfTheServer(t *testing.T) {
	withRoot(t, func(t *testing.T, _ server, root *kms.Client) {
		must(t, root.CreateKey(t.Context(), enclave, &kms.CreateKeyRequest{Name: "my-key"}))
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := root.GenerateKey(cancelled, enclave, &kms.GenerateKeyRequest{Name: "my-key"})
		wantError(t, err, context.Canceled)
		_, err = root.GenerateKey(t.Context(), enclave, &kms.GenerateKeyRequest{Name: "my-key"})
		must(t, err)
	})
}
