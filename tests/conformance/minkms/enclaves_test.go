package minkms

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/minio/kms-go/kms"
)

func TestEnclaveLifeCycle(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		ctx, begin := t.Context(), time.Now()
		wantError(t, root.CreateEnclave(ctx, &kms.CreateEnclaveRequest{Name: enclave}), kms.ErrEnclaveExists)
		for i := range 25 {
			must(t, root.CreateEnclave(ctx, &kms.CreateEnclaveRequest{Name: fmt.Sprintf("listed-%02d", i)}))
		}
		status, err := root.EnclaveStatus(ctx, &kms.EnclaveStatusRequest{Name: "listed-07"}, &kms.EnclaveStatusRequest{Name: enclave})
		must(t, err)
		if len(status) != 2 || status[0].Name != "listed-07" || status[1].Name != enclave {
			t.Fatalf("status: %+v", status)
		}
		for _, status := range status {
			if status.CreatedBy != server.rootKey(t).Identity() {
				t.Fatalf("status: %+v", status)
			}
			recent(t, status.CreatedAt, begin)
		}
		_, err = root.EnclaveStatus(ctx, &kms.EnclaveStatusRequest{Name: enclave}, &kms.EnclaveStatusRequest{Name: "absent"})
		wantError(t, err, kms.ErrEnclaveNotFound)

		for _, limit := range []int{0, 1, 7, 25, 100} {
			names := walk(t, root.ListEnclaves, kms.ListRequest{Prefix: "listed-", Limit: limit},
				func(item kms.EnclaveStatusResponse) string { return item.Name })
			if len(names) != 25 || names[0] != "listed-00" || names[24] != "listed-24" {
				t.Fatalf("limit %d: %v", limit, names)
			}
		}

		must(t, root.DeleteEnclave(ctx, &kms.DeleteEnclaveRequest{Name: "listed-07"}))
		wantError(t, root.DeleteEnclave(ctx, &kms.DeleteEnclaveRequest{Name: "listed-07"}), kms.ErrEnclaveNotFound)
		_, err = root.EnclaveStatus(ctx, &kms.EnclaveStatusRequest{Name: "listed-07"})
		wantError(t, err, kms.ErrEnclaveNotFound)
		for _, name := range []string{"", ".", "..", "a b", "a/b", "a:b", string(make([]byte, 129))} {
			wantAnswer(t, root.CreateEnclave(ctx, &kms.CreateEnclaveRequest{Name: name}), 400, "invalid name")
		}
	})
}

// Equal names in two enclaves name different keys, and a deleted enclave leaves nothing.
func TestEnclavesAreApart(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		ctx, enclaves := t.Context(), []string{enclave, "tenant-2"}
		must(t, root.CreateEnclave(ctx, &kms.CreateEnclaveRequest{Name: "tenant-2"}))
		admin, identity := server.register(t, kms.Admin)
		for _, enclave := range enclaves {
			must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "my-key"}))
		}
		keys, err := root.GenerateKey(ctx, enclave, &kms.GenerateKeyRequest{Name: "my-key"})
		must(t, err)
		_, err = root.Decrypt(ctx, "tenant-2", &kms.DecryptRequest{Name: "my-key", Ciphertext: keys[0].Ciphertext})
		wantError(t, err, kms.ErrDecrypt)
		_, err = admin.GenerateKey(ctx, "tenant-2", &kms.GenerateKeyRequest{Name: "my-key"})
		wantError(t, err, kms.ErrPermission)
		_, err = root.GetIdentity(ctx, "tenant-2", &kms.IdentityRequest{Identity: identity})
		wantError(t, err, kms.ErrIdentityNotFound)

		// One identity may be at home in several enclaves.
		must(t, root.CreateIdentity(ctx, "tenant-2", &kms.CreateIdentityRequest{Identity: identity, Privilege: kms.Admin}))
		_, err = admin.GenerateKey(ctx, "tenant-2", &kms.GenerateKeyRequest{Name: "my-key"})
		must(t, err)

		// A caller that is known anywhere learns that it mistyped the enclave.
		for _, client := range []*kms.Client{root, admin} {
			_, err = client.GenerateKey(ctx, "absent", &kms.GenerateKeyRequest{Name: "my-key"})
			wantError(t, err, kms.ErrEnclaveNotFound)
		}
		_, err = server.client(t, newKey(t)).GenerateKey(ctx, "absent", &kms.GenerateKeyRequest{Name: "my-key"})
		wantError(t, err, kms.ErrPermission)

		must(t, root.DeleteEnclave(ctx, &kms.DeleteEnclaveRequest{Name: "tenant-2"}))
		must(t, root.CreateEnclave(ctx, &kms.CreateEnclaveRequest{Name: "tenant-2"}))
		_, err = root.GenerateKey(ctx, "tenant-2", &kms.GenerateKeyRequest{Name: "my-key"})
		wantError(t, err, kms.ErrKeyNotFound)
		_, err = admin.GenerateKey(ctx, "tenant-2", &kms.GenerateKeyRequest{Name: "my-key"})
		wantError(t, err, kms.ErrPermission)
	})
}

// What only the root may do, asked by everybody else.
func TestClusterLevelBelongsToTheRoot(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, _ *kms.Client) {
		ctx := t.Context()
		admin, _ := server.register(t, kms.Admin)
		user, _ := server.register(t, kms.User)
		for who, client := range map[string]*kms.Client{
			"an admin": admin, "a user": user, "a stranger": server.client(t, newKey(t)), "nobody": server.clientWith(t, server.TLS(t)),
		} {
			_, status := client.ClusterStatus(ctx, &kms.ClusterStatusRequest{})
			_, enclaves := client.EnclaveStatus(ctx, &kms.EnclaveStatusRequest{Name: enclave})
			_, list := client.ListEnclaves(ctx, &kms.ListRequest{})
			_, logs := client.Logs(ctx, &kms.LogRequest{})
			_, backup := client.ReadDB(ctx, &kms.ReadDBRequest{})
			_, profile := client.ProfilingStatus(ctx, &kms.ProfileRequest{Host: server.Address})
			for call, err := range map[string]error{
				"AddHSM":          client.AddHSM(ctx, &kms.AddHSMRequest{Name: softHSM, Overwrite: true}),
				"AddNode":         client.AddNode(ctx, &kms.AddClusterNodeRequest{Host: "127.0.0.1:1"}),
				"ClusterStatus":   status,
				"CreateEnclave":   client.CreateEnclave(ctx, &kms.CreateEnclaveRequest{Name: "other"}),
				"DeleteEnclave":   client.DeleteEnclave(ctx, &kms.DeleteEnclaveRequest{Name: enclave}),
				"EditCluster":     client.EditCluster(ctx, &kms.EditClusterRequest{Host: server.Address, Remove: []int{7}}),
				"EnclaveStatus":   enclaves,
				"ListEnclaves":    list,
				"Logs":            logs,
				"ProfilingStatus": profile,
				"ReadDB":          backup,
				"RemoveHSM":       client.RemoveHSM(ctx, &kms.RemoveHSMRequest{Name: softHSM}),
				"RemoveNode":      client.RemoveNode(ctx, &kms.RemoveClusterNodeRequest{Host: server.Address}),
				"Restart":         client.Restart(ctx, &kms.RestartRequest{Hosts: []string{server.Address}}),
				"StartProfiling":  client.StartProfiling(ctx, &kms.ProfileRequest{Host: server.Address, CPU: true}),
				"WriteDB":         client.WriteDB(ctx, &kms.WriteDBRequest{Host: server.Address, Body: emptyBody()}),
			} {
				if !errors.Is(err, kms.ErrPermission) {
					t.Errorf("%s by %s: %v", call, who, err)
				}
			}
		}
	})
}
