package minkms

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/kms-go/kms"
	"github.com/minio/kms-go/kms/cmds"
)

// allowing is one pattern for several commands.
func allowing(pattern string, commands ...string) map[cmds.Command]kms.RuleSet {
	rules := map[cmds.Command]kms.RuleSet{}
	for _, text := range commands {
		command, err := cmds.Parse(text)
		if err != nil {
			panic(err)
		}
		rules[command] = patterns(pattern)
	}
	return rules
}

func TestPolicyLifeCycle(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		ctx, begin := t.Context(), time.Now()
		admin, identity := server.register(t, kms.Admin)
		policy := &kms.CreatePolicyRequest{
			Name:  "app",
			Allow: map[cmds.Command]kms.RuleSet{cmds.KeyGenerate: patterns("my-*", "other"), cmds.KeyMAC: patterns("*")},
			Deny:  map[cmds.Command]kms.RuleSet{cmds.KeyGenerate: patterns("my-secret*")},
		}
		must(t, admin.CreatePolicy(ctx, enclave, policy))
		got, err := root.GetPolicy(ctx, enclave, &kms.PolicyRequest{Name: "app"})
		must(t, err)
		if len(got) != 1 || got[0].Name != "app" || got[0].CreatedBy != identity ||
			!equalRules(got[0].Allow, policy.Allow) || !equalRules(got[0].Deny, policy.Deny) {
			t.Fatalf("policy: %+v", got)
		}
		recent(t, got[0].CreatedAt, begin)
		status, err := root.PolicyStatus(ctx, enclave, &kms.PolicyRequest{Name: "app"}, &kms.PolicyRequest{Name: "app"})
		must(t, err)
		if len(status) != 2 || status[1].Name != "app" || status[1].CreatedBy != identity || !status[1].CreatedAt.Equal(got[0].CreatedAt) {
			t.Fatalf("status: %+v", status)
		}

		must(t, root.CreatePolicy(ctx, enclave, &kms.CreatePolicyRequest{Name: "app"}))
		got, err = root.GetPolicy(ctx, enclave, &kms.PolicyRequest{Name: "app"})
		must(t, err)
		if len(got[0].Allow) != 0 || len(got[0].Deny) != 0 || got[0].CreatedBy != server.rootKey(t).Identity() {
			t.Fatalf("overwritten: %+v", got[0])
		}

		must(t, root.DeletePolicy(ctx, enclave, &kms.DeletePolicyRequest{Name: "app"}))
		_, get := root.GetPolicy(ctx, enclave, &kms.PolicyRequest{Name: "app"})
		_, stat := root.PolicyStatus(ctx, enclave, &kms.PolicyRequest{Name: "app"})
		for call, err := range map[string]error{
			"GetPolicy": get, "PolicyStatus": stat,
			"DeletePolicy": root.DeletePolicy(ctx, enclave, &kms.DeletePolicyRequest{Name: "app"}),
			"AssignPolicy": root.AssignPolicy(ctx, enclave, &kms.AssignPolicyRequest{Policy: "app", Identity: newKey(t).Identity()}),
		} {
			if call != "AssignPolicy" && !errors.Is(err, kms.ErrPolicyNotFound) || err == nil {
				t.Errorf("%s: %v", call, err)
			}
		}
	})
}

func equalRules(one, two map[cmds.Command]kms.RuleSet) bool {
	return maps.EqualFunc(one, two, func(one, two kms.RuleSet) bool { return maps.Equal(one, two) })
}

func TestAssignments(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		ctx := t.Context()
		must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "my-key"}))
		user, identity := server.user(t, &kms.CreatePolicyRequest{Name: "app", Allow: allowing("*", "KEY:GENERATE")})
		_, admin := server.register(t, kms.Admin)
		may := func() error {
			_, err := user.GenerateKey(ctx, enclave, &kms.GenerateKeyRequest{Name: "my-key"})
			return err
		}
		must(t, may())

		assign := func(policy string) error {
			return root.AssignPolicy(ctx, enclave, &kms.AssignPolicyRequest{Policy: policy, Identity: identity})
		}
		wantError(t, assign("absent"), kms.ErrPolicyNotFound)
		wantError(t, root.AssignPolicy(ctx, enclave, &kms.AssignPolicyRequest{Policy: "app", Identity: newKey(t).Identity()}), kms.ErrIdentityNotFound)
		wantStatus(t, root.AssignPolicy(ctx, enclave, &kms.AssignPolicyRequest{Policy: "app", Identity: admin}), 400)
		must(t, may())

		// A policy is replaced at once, and taken away with its name.
		must(t, root.CreatePolicy(ctx, enclave, &kms.CreatePolicyRequest{Name: "nothing"}))
		must(t, assign("nothing"))
		wantError(t, may(), kms.ErrPermission)
		must(t, assign("app"))
		must(t, may())
		must(t, root.CreatePolicy(ctx, enclave, &kms.CreatePolicyRequest{Name: "app", Allow: allowing("other", "KEY:GENERATE")}))
		wantError(t, may(), kms.ErrPermission)
		must(t, root.CreatePolicy(ctx, enclave, &kms.CreatePolicyRequest{Name: "app", Allow: allowing("my-key", "KEY:GENERATE")}))
		must(t, may())
		must(t, root.DeletePolicy(ctx, enclave, &kms.DeletePolicyRequest{Name: "app"}))
		wantError(t, may(), kms.ErrPermission)
		must(t, root.CreatePolicy(ctx, enclave, &kms.CreatePolicyRequest{Name: "app", Allow: allowing("*", "KEY:GENERATE")}))
		wantError(t, may(), kms.ErrPermission)
		if got := identityOf(t, root, identity); got.Policy != "" {
			t.Fatalf("identity: %+v", got)
		}
		must(t, assign("app"))
		must(t, may())
		must(t, assign(""))
		wantError(t, may(), kms.ErrPermission)
	})
}

// Every command of a key, once allowed for some names and once denied for one of them.
func TestEveryKeyCommandUnderAPolicy(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		ctx := t.Context()
		commands := []string{"KEY:CREATE", "KEY:STATUS", "KEY:ENCRYPT", "KEY:DECRYPT", "KEY:GENERATE", "KEY:MAC", "KEY:DELETE"}
		user, _ := server.user(t, &kms.CreatePolicyRequest{
			Name:  "app",
			Allow: allowing("my-*", commands...),
			Deny:  allowing("my-secret*", commands...),
		})
		for _, name := range []string{"my-secret", "other", "my", "My-key"} {
			must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: name}))
		}
		calls := func(name string) map[string]error {
			results := missing(ctx, user, name, 0)
			results["DeleteKey"] = user.DeleteKey(ctx, enclave, &kms.DeleteKeyRequest{Name: name})
			return results
		}
		for _, name := range []string{"my-secret", "my-secret-absent", "other", "my", "My-key", "absent"} {
			results := calls(name)
			results["CreateKey"] = user.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: name})
			for call, err := range results {
				if !errors.Is(err, kms.ErrPermission) {
					t.Errorf("%s of %q: %v", call, name, err)
				}
			}
		}
		// What is allowed does not exist, says the answer.
		for call, err := range calls("my-key") {
			if !errors.Is(err, kms.ErrKeyNotFound) {
				t.Errorf("%s: %v", call, err)
			}
		}
		must(t, user.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "my-key"}))
		for call, err := range calls("my-key") {
			if err != nil && call != "Decrypt" {
				t.Errorf("%s: %v", call, err)
			}
		}
		// Creating is not importing, which is no command that this client can name.
		must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "my-key"}))
		wantError(t, user.ImportKey(ctx, enclave, &kms.ImportKeyRequest{Name: "my-own", Key: make([]byte, 32)}), kms.ErrPermission)

		// One forbidden name of a batch is enough.
		_, err := user.GenerateKey(ctx, enclave, &kms.GenerateKeyRequest{Name: "my-key"}, &kms.GenerateKeyRequest{Name: "my-secret"})
		wantError(t, err, kms.ErrPermission)
	})
}

// The client sends the number of the import command where a name is due.
func TestImportUnderAPolicy(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, _ *kms.Client) {
		user, _ := server.user(t, &kms.CreatePolicyRequest{
			Name:  "importer",
			Allow: map[cmds.Command]kms.RuleSet{cmds.KeyImport: patterns("my-*")},
		})
		must(t, user.ImportKey(t.Context(), enclave, &kms.ImportKeyRequest{Name: "my-own", Key: make([]byte, 32)}))
		wantError(t, user.ImportKey(t.Context(), enclave, &kms.ImportKeyRequest{Name: "other", Key: make([]byte, 32)}), kms.ErrPermission)
	})
}

func TestListsUnderAPolicy(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		ctx := t.Context()
		for i := range 30 {
			for _, group := range []string{"my", "our"} {
				must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: fmt.Sprintf("%s-%02d", group, i)}))
			}
		}
		must(t, root.CreatePolicy(ctx, enclave, &kms.CreatePolicyRequest{Name: "our-policy"}))
		user, _ := server.user(t, &kms.CreatePolicyRequest{
			Name: "my-policy",
			Allow: map[cmds.Command]kms.RuleSet{
				cmds.KeyList: patterns("my-*"), cmds.PolicyList: patterns("my-*"), cmds.IdentityList: patterns("*"),
			},
			Deny: map[cmds.Command]kms.RuleSet{cmds.KeyList: patterns("my-2*"), cmds.IdentityList: patterns("h1:a*")},
		})
		for _, limit := range []int{0, 1, 7} {
			found := walk(t, user.ListKeys, kms.ListRequest{Enclave: enclave, Limit: limit}, keyName)
			if len(found) != 20 || found[0] != "my-00" || found[19] != "my-19" {
				t.Fatalf("limit %d: %v", limit, found)
			}
		}
		policies := walk(t, user.ListPolicies, kms.ListRequest{Enclave: enclave},
			func(item kms.PolicyStatusResponse) string { return item.Name })
		if !slices.Equal(policies, []string{"my-policy"}) {
			t.Fatalf("policies: %v", policies)
		}
		identities := walk(t, user.ListIdentities, kms.ListRequest{Enclave: enclave},
			func(item kms.IdentityResponse) string { return item.Identity.String() })
		for _, identity := range identities {
			if strings.HasPrefix(identity, "h1:a") {
				t.Fatalf("identities: %v", identities)
			}
		}
		if all := walk(t, root.ListPolicies, kms.ListRequest{Enclave: enclave, Limit: 1},
			func(item kms.PolicyStatusResponse) string { return item.Name }); len(all) != 2 {
			t.Fatalf("policies: %v", all)
		}

		for _, policy := range []*kms.CreatePolicyRequest{
			{Name: "none", Allow: allowing("*", "KEY:GENERATE")},
			{Name: "denied", Allow: allowing("*", "KEY:LIST"), Deny: allowing("*", "KEY:LIST")},
		} {
			refused, _ := server.user(t, policy)
			_, err := refused.ListKeys(ctx, &kms.ListRequest{Enclave: enclave})
			wantError(t, err, kms.ErrPermission)
		}
	})
}

func TestPoliciesThatNobodyUnderstands(t *testing.T) {
	withRoot(t, func(t *testing.T, _ server, root *kms.Client) {
		ctx := t.Context()
		for _, pattern := range []string{"a*b", "*a", "a?", "[a]", `a\`, "a**", strings.Repeat("a", 257)} {
			err := root.CreatePolicy(ctx, enclave, &kms.CreatePolicyRequest{Name: "app", Allow: allowing(pattern, "KEY:GENERATE")})
			if !errors.Is(err, kms.Error{Code: 400, Err: "invalid pattern"}) {
				t.Errorf("%q: %v", pattern, err)
			}
		}
		for _, command := range []cmds.Command{cmds.ClusterStatus, cmds.EnclaveCreate} {
			err := root.CreatePolicy(ctx, enclave, &kms.CreatePolicyRequest{
				Name: "app", Deny: map[cmds.Command]kms.RuleSet{command: patterns("*")},
			})
			wantAnswer(t, err, 400, fmt.Sprintf("invalid command '%s'", command))
		}
		_, err := root.GetPolicy(ctx, enclave, &kms.PolicyRequest{Name: "app"})
		wantError(t, err, kms.ErrPolicyNotFound)
	})
}
