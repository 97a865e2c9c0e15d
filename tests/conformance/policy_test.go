package conformance

import (
	"fmt"
	"slices"
	"testing"

	"github.com/minio/kms-go/kes"

	"keystead.test/conformance/kestest"
	"keystead.test/conformance/overhttp"
)

// policies gives an application the keys `app-*` except `app-secret`.
func policies(identity kes.Identity) string {
	return fmt.Sprintf(`  app:
    allow:
      - /v1/key/create/app-*
      - /v1/key/generate/app-*
      - /v1/key/decrypt/app-*
      - /v1/key/list
      - /v1/policy/describe/app
    deny:
      - /v1/key/generate/app-secret
    identities: [ %q ]
  idle:
    allow: [ /v1/status ]
`, identity)
}

func TestPoliciesDecide(t *testing.T) {
	overhttp.Both(t, func(t *testing.T, protocol overhttp.Protocol) {
		ctx := t.Context()
		key := kestest.NewKey(t)
		server := kestest.Start(t, kestest.Config{Policies: policies(key.Identity())})
		client := server.Client(t, protocol, key)

		must(t, client.CreateKey(ctx, "app-one"))
		_, err := client.GenerateKey(ctx, "app-one", nil)
		must(t, err)
		_, _, err = client.ListKeys(ctx, "", 0)
		must(t, err)

		wantError(t, client.CreateKey(ctx, "other"), kes.ErrNotAllowed)
		wantError(t, client.DeleteKey(ctx, "app-one"), kes.ErrNotAllowed)
		_, err = client.GenerateKey(ctx, "app-secret", nil)
		wantError(t, err, kes.ErrNotAllowed)
		_, err = client.Encrypt(ctx, "app-one", nil, nil)
		wantError(t, err, kes.ErrNotAllowed)
		_, _, err = client.ListKeys(ctx, "app-", 0)
		wantError(t, err, kes.ErrNotAllowed)
		_, err = client.Status(ctx)
		wantError(t, err, kes.ErrNotAllowed)
		_, err = client.IsReady(ctx)
		wantError(t, err, kes.ErrNotAllowed)
		_, err = client.Metrics(ctx)
		wantError(t, err, kes.ErrNotAllowed)
		_, err = client.APIs(ctx)
		wantError(t, err, kes.ErrNotAllowed)
		_, err = client.AuditLog(ctx)
		wantError(t, err, kes.ErrNotAllowed)
		// The version needs no policy.
		_, err = client.Version(ctx)
		must(t, err)

		stranger := server.Client(t, protocol, kestest.NewKey(t))
		wantError(t, stranger.CreateKey(ctx, "app-one"), kes.ErrNotAllowed)
	})
}

func TestPolicyAndIdentityInformation(t *testing.T) {
	overhttp.Both(t, func(t *testing.T, protocol overhttp.Protocol) {
		ctx := t.Context()
		key := kestest.NewKey(t)
		server := kestest.Start(t, kestest.Config{Policies: policies(key.Identity())})
		admin := server.Client(t, protocol, server.Admin)

		policy, err := admin.GetPolicy(ctx, "app")
		must(t, err)
		_, allowed := policy.Allow["/v1/key/create/app-*"]
		_, denied := policy.Deny["/v1/key/generate/app-secret"]
		if !allowed || !denied || len(policy.Allow) != 5 || len(policy.Deny) != 1 || policy.CreatedAt.IsZero() {
			t.Fatalf("policy: %+v", policy)
		}
		described, err := admin.DescribePolicy(ctx, "app")
		must(t, err)
		if described.Name != "app" || described.CreatedBy != server.Admin.Identity() {
			t.Fatalf("policy: %+v", described)
		}
		names, next, err := admin.ListPolicies(ctx, "", 0)
		must(t, err)
		if next != "" || !slices.Equal(names, []string{"app", "idle"}) {
			t.Fatalf("policies: %v, continued at %q", names, next)
		}
		_, err = admin.GetPolicy(ctx, "absent")
		wantError(t, err, kes.ErrPolicyNotFound)

		info, err := admin.DescribeIdentity(ctx, key.Identity())
		must(t, err)
		if info.Policy != "app" || info.IsAdmin || info.CreatedBy != server.Admin.Identity() {
			t.Fatalf("identity: %+v", info)
		}
		info, err = admin.DescribeIdentity(ctx, server.Admin.Identity())
		must(t, err)
		if !info.IsAdmin || info.Policy != "" {
			t.Fatalf("admin: %+v", info)
		}
		identities, _, err := admin.ListIdentities(ctx, "", 0)
		must(t, err)
		want := []kes.Identity{key.Identity(), server.Admin.Identity()}
		slices.Sort(want)
		if !slices.Equal(identities, want) {
			t.Fatalf("identities: %v", identities)
		}
		_, err = admin.DescribeIdentity(ctx, kestest.NewKey(t).Identity())
		wantError(t, err, kes.ErrIdentityNotFound)
	})
}

func TestSelfDescription(t *testing.T) {
	overhttp.Both(t, func(t *testing.T, protocol overhttp.Protocol) {
		ctx := t.Context()
		key := kestest.NewKey(t)
		server := kestest.Start(t, kestest.Config{Policies: policies(key.Identity())})

		info, _, err := server.Client(t, protocol, server.Admin).DescribeSelf(ctx)
		must(t, err)
		if info.Identity != server.Admin.Identity() || !info.IsAdmin {
			t.Fatalf("admin: %+v", info)
		}
		info, policy, err := server.Client(t, protocol, key).DescribeSelf(ctx)
		must(t, err)
		if info.Identity != key.Identity() || info.IsAdmin || info.Policy != "app" {
			t.Fatalf("application: %+v", info)
		}
		if _, ok := policy.Allow["/v1/key/create/app-*"]; !ok || len(policy.Deny) != 1 {
			t.Fatalf("policy: %+v", policy)
		}
		_, _, err = server.Client(t, protocol, kestest.NewKey(t)).DescribeSelf(ctx)
		wantError(t, err, kes.ErrIdentityNotFound)
	})
}
