package minkms

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/minio/kms-go/kms"

	"keystead.test/conformance/process"
)

const softHSM = "hsm:minio:soft"

func emptyBody() io.Reader { return bytes.NewReader(nil) }

func TestVersionAndHealth(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		ctx := t.Context()
		// Probes carry no certificate.
		for _, client := range []*kms.Client{root, server.clientWith(t, server.TLS(t)), server.client(t, newKey(t))} {
			versions, err := client.Version(ctx, &kms.VersionRequest{})
			must(t, err)
			if len(versions) != 1 || versions[0].Version == "" || versions[0].Commit == "" || versions[0].APIVersion != "v1" ||
				versions[0].Host != server.Address || versions[0].FIPS140 {
				t.Fatalf("version: %+v", versions)
			}
			must(t, client.Live(ctx, &kms.LivenessRequest{}))
			must(t, client.Ready(ctx, &kms.ReadinessRequest{}))
			must(t, client.Ready(ctx, &kms.ReadinessRequest{Write: true}))
		}

		// One of two hosts answers.
		absent := process.FreeAddress(t)
		hosts := []string{server.Address, absent}
		versions, err := root.Version(ctx, &kms.VersionRequest{Hosts: hosts})
		if failed := kms.AsHostError(err); len(versions) != 1 || failed == nil || failed.Host != absent {
			t.Fatalf("versions %+v, error %v", versions, err)
		}
		for call, err := range map[string]error{
			"Live":  root.Live(ctx, &kms.LivenessRequest{Hosts: hosts}),
			"Ready": root.Ready(ctx, &kms.ReadinessRequest{Hosts: hosts}),
		} {
			if failed := kms.AsHostError(err); failed == nil || failed.Host != absent {
				t.Fatalf("%s: %v", call, err)
			}
		}
		if hosts := root.Hosts(); !slices.Equal(hosts, []string{server.Address}) {
			t.Fatalf("hosts: %v", hosts)
		}
	})
}

func TestClusterStatus(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		status := func() *kms.ServerStatusResponse {
			t.Helper()
			status, err := root.ClusterStatus(t.Context(), &kms.ClusterStatusRequest{})
			must(t, err)
			if len(status.NodesUp) != 1 || len(status.NodesDown) != 0 || status.NodesUp[0] == nil {
				t.Fatalf("status: %+v", status)
			}
			return status.NodesUp[0]
		}
		node := status()
		if node.APIVersion != "v1" || node.Host != server.Address || node.Role != "Leader" || node.ID != 0 || node.LeaderID != 0 ||
			len(node.Nodes) != 1 || node.Nodes[0] != server.Address || node.OS != runtime.GOOS || node.CPUArch != runtime.GOARCH ||
			node.CPUs < 1 || node.UsableCPUs < 1 || node.HeapMemInUse+node.StackMemInUse == 0 ||
			node.HeartbeatInterval != 500*time.Millisecond || node.ElectionTimeout < node.HeartbeatInterval ||
			!slices.Equal(node.HSMs, []string{softHSM}) || !slices.Equal(node.ConfiguredHSMs, []string{softHSM}) {
			t.Fatalf("node: %+v", node)
		}
		if node.UpTime <= 0 || node.UpTime > time.Minute || node.LastHeartbeat < 0 || node.LastHeartbeat > node.ElectionTimeout {
			t.Fatalf("node: %+v", node)
		}
		must(t, root.CreateKey(t.Context(), enclave, &kms.CreateKeyRequest{Name: "my-key"}))
		if later := status(); later.Commit != node.Commit+1 || later.UpTime <= node.UpTime {
			t.Fatalf("before %+v, after one change %+v", node, later)
		}
	})
}

// What a server without peers says to changes of its cluster.
func TestMembershipOfOneNode(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		ctx := t.Context()
		wantAnswer(t, root.AddNode(ctx, &kms.AddClusterNodeRequest{Host: server.Address}), 409, "node already exists")
		absent := process.FreeAddress(t)
		wantAnswer(t, root.RemoveNode(ctx, &kms.RemoveClusterNodeRequest{Host: absent}), 404, "node does not exist")
		for call, err := range map[string]error{
			"AddNode":                      root.AddNode(ctx, &kms.AddClusterNodeRequest{Host: absent}),
			"RemoveNode of the last":       root.RemoveNode(ctx, &kms.RemoveClusterNodeRequest{Host: server.Address}),
			"EditCluster":                  root.EditCluster(ctx, &kms.EditClusterRequest{Host: server.Address, Remove: []int{7}}),
			"EditCluster of the last":      root.EditCluster(ctx, &kms.EditClusterRequest{Host: server.Address, Remove: []int{0}}),
			"EditCluster without a host":   root.EditCluster(ctx, &kms.EditClusterRequest{Remove: []int{0}}),
			"AddNode without a host":       root.AddNode(ctx, &kms.AddClusterNodeRequest{}),
			"RemoveNode without a host":    root.RemoveNode(ctx, &kms.RemoveClusterNodeRequest{}),
			"AddNode of an impossible one": root.AddNode(ctx, &kms.AddClusterNodeRequest{Host: "no host"}),
		} {
			var answer kms.Error
			if !errors.As(err, &answer) || answer.Err == "" {
				t.Errorf("%s: %v", call, err)
			}
			t.Logf("%s: %v", call, err)
		}
		// Whatever was asked, the server goes on.
		must(t, root.Ready(ctx, &kms.ReadinessRequest{Write: true}))
		must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "my-key"}))
	})
}

func TestHSMs(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		ctx := t.Context()
		for _, name := range []string{"hsm:absent", "hsm:hashicorp:vault"} {
			wantAnswer(t, root.AddHSM(ctx, &kms.AddHSMRequest{Name: name}), 404, "hsm does not exist")
			wantAnswer(t, root.RemoveHSM(ctx, &kms.RemoveHSMRequest{Name: name}), 404, "hsm does not exist")
		}
		wantStatus(t, root.AddHSM(ctx, &kms.AddHSMRequest{}), 400)
		wantStatus(t, root.RemoveHSM(ctx, &kms.RemoveHSMRequest{}), 400)
		wantAnswer(t, root.AddHSM(ctx, &kms.AddHSMRequest{Name: softHSM}), 409, "hsm already exists")
		wantAnswer(t, root.RemoveHSM(ctx, &kms.RemoveHSMRequest{Name: softHSM}), 409, "cannot remove the last usable hsm")
		must(t, root.AddHSM(ctx, &kms.AddHSMRequest{Name: softHSM, Overwrite: true}))
		server.Stop(t)
		server.Launch(t)
		must(t, server.root(t).CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "my-key"}))
	})
}

// Another client restarts the server; what it knew it still knows.
func TestRestart(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "my-key"}))
		keys, err := root.GenerateKey(ctx, enclave, &kms.GenerateKeyRequest{Name: "my-key"})
		must(t, err)
		for _, hosts := range [][]string{{server.Address}, nil} {
			before := time.Now()
			must(t, server.root(t).Restart(ctx, &kms.RestartRequest{Hosts: hosts}))
			for started(t, ctx, server).Before(before) {
				time.Sleep(20 * time.Millisecond)
			}
			// A client of its own: the old one avoids the host for a while after the cut.
			opens(t, server.root(t), "my-key", 1, keys[0].Ciphertext, nil, keys[0].Plaintext)
		}
	})
}

// started asks until there is an answer, since when there is one.
func started(t testing.TB, ctx context.Context, server server) time.Time {
	t.Helper()
	for {
		status, err := server.root(t).ClusterStatus(ctx, &kms.ClusterStatusRequest{})
		if err == nil {
			return time.Now().Add(-status.NodesUp[0].UpTime)
		}
		if ctx.Err() != nil {
			t.Fatalf("no status: %v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Every acknowledged change is there after the process was killed.
func TestStateSurvivesAKill(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		ctx := t.Context()
		user, identity := server.user(t, &kms.CreatePolicyRequest{Name: "app", Allow: allowing("my-*", "KEY:GENERATE", "KEY:DECRYPT")})
		must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "my-key"}))
		must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "my-key", AddVersion: true}))
		keys, err := user.GenerateKey(ctx, enclave, &kms.GenerateKeyRequest{Name: "my-key"})
		must(t, err)
		server.Kill(t)
		server.Launch(t)

		root = server.root(t)
		opens(t, root, "my-key", 2, keys[0].Ciphertext, nil, keys[0].Plaintext)
		if got := identityOf(t, root, identity); got.Policy != "app" {
			t.Fatalf("identity: %+v", got)
		}
	})
}
