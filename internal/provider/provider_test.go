package provider

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
)

func TestProvider_schema(t *testing.T) {
	server, err := providerserver.NewProtocol6WithError(New("test")())()
	if err != nil {
		t.Fatal(err)
	}
	resp, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range resp.Diagnostics {
		t.Errorf("%s: %s", d.Summary, d.Detail)
	}
	for _, name := range []string{"fleet_cluster", "fleet_placement", "fleet_manifest"} {
		if resp.ResourceSchemas[name] == nil {
			t.Errorf("there is no %s", name)
		}
	}
}

func TestProviderModel_kubeconfigPaths(t *testing.T) {
	list := func(elements ...attr.Value) types.List { return types.ListValueMust(types.StringType, elements) }
	for _, test := range []struct {
		name    string
		paths   types.List
		env     map[string]string
		want    []string
		unknown bool
	}{
		{name: "nothing set", paths: types.ListNull(types.StringType), want: []string{"~/.kube/config"}},
		{name: "KUBECONFIG", paths: types.ListNull(types.StringType), env: map[string]string{"KUBECONFIG": "/a:/b"}, want: []string{"/a", "/b"}},
		{
			name: "KUBE_CONFIG_PATHS first", paths: types.ListNull(types.StringType),
			env: map[string]string{"KUBECONFIG": "/a", "KUBE_CONFIG_PATHS": "/c"}, want: []string{"/c"},
		},
		{name: "none wanted", paths: list(), env: map[string]string{"KUBECONFIG": "/a"}},
		{name: "configured", paths: list(types.StringValue("~/a")), env: map[string]string{"KUBECONFIG": "/a"}, want: []string{"~/a"}},
		{name: "one unknown", paths: list(types.StringValue("a"), types.StringUnknown()), unknown: true},
		{name: "all unknown", paths: types.ListUnknown(types.StringType), unknown: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("KUBECONFIG", test.env["KUBECONFIG"])
			t.Setenv("KUBE_CONFIG_PATHS", test.env["KUBE_CONFIG_PATHS"])
			got, unknown := providerModel{KubeconfigPaths: test.paths}.kubeconfigPaths()
			if !slices.Equal(got, test.want) || unknown != test.unknown {
				t.Errorf("got %v, %t", got, unknown)
			}
		})
	}
}

func TestProviderModel_owner(t *testing.T) {
	t.Setenv("TFC_WORKSPACE_SLUG", "")
	if got := (providerModel{Owner: types.StringNull()}).owner(); got != "default" {
		t.Errorf("got %q", got)
	}
	t.Setenv("TFC_WORKSPACE_SLUG", "acme/prod")
	if got := (providerModel{Owner: types.StringNull()}).owner(); got != "acme/prod" {
		t.Errorf("got %q", got)
	}
	if got := (providerModel{Owner: types.StringValue("me")}).owner(); got != "me" {
		t.Errorf("got %q", got)
	}
}

// connectionValue is a resource's connection with null for all attributes that are not given.
func connectionValue(given map[string]attr.Value) types.Object {
	object := map[string]attr.Type{}
	values := map[string]attr.Value{}
	for name, attribute := range resourceConnectionAttributes() {
		object[name] = attribute.GetType()
		values[name] = given[name]
		if values[name] != nil {
			continue
		}
		switch object[name] {
		case types.BoolType:
			values[name] = types.BoolNull()
		case types.StringType:
			values[name] = types.StringNull()
		default:
			exec, _ := object[name].(attr.TypeWithAttributeTypes)
			values[name] = types.ObjectNull(exec.AttributeTypes())
		}
	}
	return types.ObjectValueMust(object, values)
}

func TestConnectionFrom(t *testing.T) {
	yes := true
	got, known := connectionFrom(connectionValue(map[string]attr.Value{
		"host": types.StringValue("https://h"), "insecure": types.BoolValue(true), "context": types.StringUnknown(),
	}))
	if diff := cmp.Diff(cluster.Connection{Host: "https://h", Insecure: &yes}, got, cmp.AllowUnexported(cluster.Exec{})); diff != "" || known {
		t.Errorf("known %t (-want +got)\n%s", known, diff)
	}
	if _, known := connectionFrom(connectionValue(nil)); !known {
		t.Error("nothing is unknown")
	}
	if _, known := connectionFrom(types.ObjectUnknown(connectionValue(nil).AttributeTypes(t.Context()))); known {
		t.Error("all is unknown")
	}
}

func TestResourceConnection_hasNoSecrets(t *testing.T) {
	attributes := resourceConnectionAttributes()
	for _, a := range connectionAttributes {
		if _, there := attributes[a.name]; there == a.secret {
			t.Errorf("%s: secret %t, in a resource %t", a.name, a.secret, there)
		}
	}
}
