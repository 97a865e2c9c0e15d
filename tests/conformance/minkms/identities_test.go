package minkms

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"aead.dev/mtls"
	"github.com/minio/kms-go/kms"
)

func TestIdentityLifeCycle(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		ctx, begin := t.Context(), time.Now()
		key := newKey(t)
		tags := map[string]string{"team": "storage", "a.b/c_d-e": strings.Repeat("v", 256)}
		must(t, root.CreateIdentity(ctx, enclave, &kms.CreateIdentityRequest{
			Identity: key.Identity(), Privilege: kms.Admin, Tags: tags,
		}))
		got := identityOf(t, root, key.Identity())
		if got.Identity != key.Identity() || got.Privilege != kms.Admin || got.Policy != "" || got.IsServiceAccount ||
			got.CreatedBy != server.rootKey(t).Identity() || !maps.Equal(got.Tags, tags) {
			t.Fatalf("identity: %+v", got)
		}
		recent(t, got.CreatedAt, begin)

		admin := server.client(t, key)
		must(t, admin.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "my-key"}))

		// What is registered again is overwritten, from then on.
		must(t, root.CreateIdentity(ctx, enclave, &kms.CreateIdentityRequest{Identity: key.Identity()}))
		got = identityOf(t, root, key.Identity())
		if got.Privilege != kms.User || len(got.Tags) != 0 {
			t.Fatalf("identity: %+v", got)
		}
		wantError(t, admin.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "other"}), kms.ErrPermission)

		must(t, root.DeleteIdentity(ctx, enclave, &kms.DeleteIdentityRequest{Identity: key.Identity()}))
		wantError(t, root.DeleteIdentity(ctx, enclave, &kms.DeleteIdentityRequest{Identity: key.Identity()}), kms.ErrIdentityNotFound)
		_, err := root.GetIdentity(ctx, enclave, &kms.IdentityRequest{Identity: key.Identity()})
		wantError(t, err, kms.ErrIdentityNotFound)
		_, err = admin.GenerateKey(ctx, enclave, &kms.GenerateKeyRequest{Name: "my-key"})
		wantError(t, err, kms.ErrPermission)
	})
}

func identityOf(t testing.TB, client *kms.Client, identity mtls.Identity) *kms.IdentityResponse {
	t.Helper()
	answers, err := client.GetIdentity(t.Context(), enclave, &kms.IdentityRequest{Identity: identity})
	must(t, err)
	if len(answers) != 1 {
		t.Fatalf("%d answers", len(answers))
	}
	return answers[0]
}

func TestPrivileges(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		ctx := t.Context()
		admin, _ := server.register(t, kms.Admin)
		user, _ := server.register(t, kms.User)
		someone := newKey(t).Identity()
		for call, client := range map[string]*kms.Client{"admin": admin, "root": root} {
			must(t, client.CreateIdentity(ctx, enclave, &kms.CreateIdentityRequest{Identity: someone, Privilege: kms.Admin}))
			must(t, client.CreatePolicy(ctx, enclave, &kms.CreatePolicyRequest{Name: call}))
			must(t, client.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: call}))
			must(t, client.ImportKey(ctx, enclave, &kms.ImportKeyRequest{Name: call + "-imported", Key: make([]byte, 32)}))
		}
		for call, err := range map[string]error{
			"CreateIdentity": user.CreateIdentity(ctx, enclave, &kms.CreateIdentityRequest{Identity: someone}),
			"CreatePolicy":   user.CreatePolicy(ctx, enclave, &kms.CreatePolicyRequest{Name: "mine"}),
			"CreateKey":      user.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "mine"}),
			"ImportKey":      user.ImportKey(ctx, enclave, &kms.ImportKeyRequest{Name: "mine", Key: make([]byte, 32)}),
			"DeleteKey":      user.DeleteKey(ctx, enclave, &kms.DeleteKeyRequest{Name: "admin"}),
			"DeleteIdentity": user.DeleteIdentity(ctx, enclave, &kms.DeleteIdentityRequest{Identity: someone}),
			// A name that does not exist is no secret that a refusal tells.
			"DeletePolicy": user.DeletePolicy(ctx, enclave, &kms.DeletePolicyRequest{Name: "absent"}),
			// More than an enclave cannot be given inside of one.
			"CreateIdentity of a SysAdmin": admin.CreateIdentity(ctx, enclave, &kms.CreateIdentityRequest{
				Identity: someone, Privilege: kms.SysAdmin,
			}),
		} {
			if !errors.Is(err, kms.ErrPermission) {
				t.Errorf("%s: %v", call, err)
			}
		}
		wantStatus(t, root.CreateIdentity(ctx, enclave, &kms.CreateIdentityRequest{Identity: someone, Privilege: kms.SysAdmin}), 400)
		wantStatus(t, root.CreateIdentity(ctx, enclave, &kms.CreateIdentityRequest{Identity: server.rootKey(t).Identity()}), 400)
		for name, tags := range map[string]map[string]string{
			"a long name":  {strings.Repeat("n", 65): "value"},
			"a long value": {"name": strings.Repeat("v", 257)},
			"a space":      {"my name": "value"},
			"too many":     manyTags(33),
		} {
			err := root.CreateIdentity(ctx, enclave, &kms.CreateIdentityRequest{Identity: someone, Tags: tags})
			if !errors.Is(err, kms.Error{Code: 400, Err: "invalid tags"}) {
				t.Errorf("%s: %v", name, err)
			}
		}
		must(t, root.CreateIdentity(ctx, enclave, &kms.CreateIdentityRequest{Identity: someone, Tags: manyTags(32)}))
	})
}

func manyTags(count int) map[string]string {
	tags := map[string]string{}
	for i := range count {
		tags[fmt.Sprint(i)] = "value"
	}
	return tags
}

// Who am I: everybody may ask about itself.
func TestOwnIdentity(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		own := identityOf(t, root, server.rootKey(t).Identity())
		if own.Privilege != kms.SysAdmin || own.Policy != "" {
			t.Fatalf("root: %+v", own)
		}
		for _, privilege := range []kms.Privilege{kms.Admin, kms.User} {
			client, identity := server.register(t, privilege)
			if own := identityOf(t, client, identity); own.Identity != identity || own.Privilege != privilege {
				t.Fatalf("%v: %+v", privilege, own)
			}
		}
		user, _ := server.register(t, kms.User)
		_, other := server.register(t, kms.User)
		_, err := user.GetIdentity(t.Context(), enclave, &kms.IdentityRequest{Identity: other})
		wantError(t, err, kms.ErrPermission)
	})
}

// Service accounts have the rights of their parent, as they are at the time.
func TestServiceAccounts(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		ctx := t.Context()
		must(t, root.CreateKey(ctx, enclave, &kms.CreateKeyRequest{Name: "my-key"}))
		user, parent := server.user(t, &kms.CreatePolicyRequest{Name: "app", Allow: allowing("*",
			"KEY:GENERATE", "IDENTITY:CREATE", "IDENTITY:DELETE")})
		key := newKey(t)
		account := &kms.CreateIdentityRequest{Identity: key.Identity(), IsServiceAccount: true, Tags: map[string]string{"for": "backup"}}
		must(t, user.CreateIdentity(ctx, enclave, account))

		got := identityOf(t, root, key.Identity())
		if !got.IsServiceAccount || got.Privilege != kms.User || got.CreatedBy != parent || got.Tags["for"] != "backup" {
			t.Fatalf("account: %+v", got)
		}
		if got := identityOf(t, root, parent); !slices.Contains(got.ServiceAccounts, key.Identity()) || got.Policy != "app" {
			t.Fatalf("parent: %+v", got)
		}
		generate := func() error {
			_, err := server.client(t, key).GenerateKey(ctx, enclave, &kms.GenerateKeyRequest{Name: "my-key"})
			return err
		}
		must(t, generate())

		// A user makes nothing but service accounts, of its own.
		wantError(t, user.CreateIdentity(ctx, enclave, &kms.CreateIdentityRequest{Identity: newKey(t).Identity()}), kms.ErrPermission)
		_, other := server.register(t, kms.User)
		wantError(t, user.DeleteIdentity(ctx, enclave, &kms.DeleteIdentityRequest{Identity: other}), kms.ErrPermission)
		wantStatus(t, root.CreateIdentity(ctx, enclave, &kms.CreateIdentityRequest{
			Identity: newKey(t).Identity(), IsServiceAccount: true,
		}), 400)
		wantStatus(t, root.AssignPolicy(ctx, enclave, &kms.AssignPolicyRequest{Identity: key.Identity(), Policy: "app"}), 400)
		child := server.client(t, key).CreateIdentity(ctx, enclave, &kms.CreateIdentityRequest{
			Identity: newKey(t).Identity(), IsServiceAccount: true,
		})
		if child == nil {
			t.Fatal("a service account has a child")
		}

		// Rights and life end with those of the parent.
		must(t, root.DeletePolicy(ctx, enclave, &kms.DeletePolicyRequest{Name: "app"}))
		wantError(t, generate(), kms.ErrPermission)
		must(t, root.CreateIdentity(ctx, enclave, &kms.CreateIdentityRequest{Identity: parent, Privilege: kms.Admin}))
		must(t, generate())
		if got := identityOf(t, root, key.Identity()); got.Privilege != kms.Admin {
			t.Fatalf("account: %+v", got)
		}
		must(t, root.DeleteIdentity(ctx, enclave, &kms.DeleteIdentityRequest{Identity: parent}))
		wantError(t, generate(), kms.ErrPermission)
		_, err := root.GetIdentity(ctx, enclave, &kms.IdentityRequest{Identity: key.Identity()})
		wantError(t, err, kms.ErrIdentityNotFound)
	})
}

func TestListIdentities(t *testing.T) {
	withRoot(t, func(t *testing.T, server server, root *kms.Client) {
		ctx := t.Context()
		var want []string
		for range 100 {
			identity := newKey(t).Identity()
			want = append(want, identity.String())
			must(t, root.CreateIdentity(ctx, enclave, &kms.CreateIdentityRequest{Identity: identity}))
		}
		slices.Sort(want)
		text := func(item kms.IdentityResponse) string { return item.Identity.String() }
		for _, limit := range []int{0, 1, 33, 100} {
			if found := walk(t, root.ListIdentities, kms.ListRequest{Enclave: enclave, Limit: limit}, text); !slices.Equal(found, want) {
				t.Fatalf("limit %d: %d identities", limit, len(found))
			}
		}
		if found := walk(t, root.ListIdentities, kms.ListRequest{Enclave: enclave, Prefix: want[50]}, text); len(found) != 1 {
			t.Fatalf("by prefix: %v", found)
		}

		requests := make([]*kms.IdentityRequest, len(want))
		for i, text := range want {
			identity, err := mtls.ParseIdentity(text)
			must(t, err)
			requests[i] = &kms.IdentityRequest{Identity: identity}
		}
		answers, err := root.GetIdentity(ctx, enclave, requests...)
		must(t, err)
		for i, answer := range answers {
			if answer.Identity.String() != want[i] {
				t.Fatalf("answer %d is of another request", i)
			}
		}
		_, err = root.GetIdentity(ctx, enclave, append(requests, &kms.IdentityRequest{Identity: newKey(t).Identity()})...)
		wantError(t, err, kms.ErrIdentityNotFound)
	})
}
