package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	providerschema "github.com/hashicorp/terraform-plugin-framework/provider/schema"
	resourceschema "github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
)

// connectionAttribute is one attribute of a connection. The provider takes all of them, a resource those that are not
// secret, because what a resource takes ends up in state.
type connectionAttribute struct {
	name        string
	description string
	secret      bool
	flag        bool
}

var connectionAttributes = []connectionAttribute{
	{name: "host", description: "URL of the API server, such as `https://10.0.0.1:6443`."},
	{name: "cluster_ca_certificate", description: "PEM certificates that the API server's certificate must chain to."},
	{name: "tls_server_name", description: "Name expected in the API server's certificate, where it is not the host's."},
	{name: "insecure", description: "Whether to accept any certificate of the API server. Not for production.", flag: true},
	{name: "proxy_url", description: "Proxy to go through, with the scheme `http`, `https` or `socks5`."},
	{name: "token", description: "Bearer token.", secret: true},
	{name: "token_file", description: "File with a bearer token. It is read again as it changes."},
	{name: "client_certificate", description: "PEM client certificate.", secret: true},
	{name: "client_key", description: "PEM private key of `client_certificate`.", secret: true},
	{name: "kubeconfig_path", description: "Kubeconfig file, or several separated as in `KUBECONFIG`. `~` is the home directory."},
	{name: "context", description: "Context in `kubeconfig_path`, or else in the provider's `kubeconfig_paths`. Defaults to the file's current context."},
	{name: "in_cluster", description: "Whether to use the service account of the pod that Terraform runs in.", flag: true},
}

const (
	execDescription        = "Program that prints credentials, as kubectl's credential plugins do."
	apiVersionDescription  = "Version of the plugin protocol: `client.authentication.k8s.io/v1` or `client.authentication.k8s.io/v1beta1`."
	commandDescription     = "Program to run, looked up on `PATH` unless it is a path."
	argsDescription        = "Arguments of the program."
	ocmDescription         = "The cluster is behind a hub of Open Cluster Management and reached through it: sets are ManifestWorks in the hub's namespace of the cluster, which the cluster's agent pulls. Excludes all other attributes."
	ocmHubDescription      = "Name of the hub's own connection, which is looked up as that of a cluster: in the provider's `connections`, its `kubeconfigs`, and the contexts of its `kubeconfig_paths`."
	ocmClusterDescription  = "Name of the ManagedCluster on the hub."
	ocmExecutorDescription = "Service account on the site, as `namespace/name`, with whose permissions the agent applies. By default the agent applies with its own."
	envDescription         = "Further environment variables of the program. Their values count as secret."
)

// providerConnectionAttributes are those of the provider's connections.
func providerConnectionAttributes() map[string]providerschema.Attribute {
	attributes := map[string]providerschema.Attribute{
		"exec": providerschema.SingleNestedAttribute{
			MarkdownDescription: execDescription,
			Optional:            true,
			Attributes: map[string]providerschema.Attribute{
				"api_version": providerschema.StringAttribute{MarkdownDescription: apiVersionDescription, Optional: true},
				"command":     providerschema.StringAttribute{MarkdownDescription: commandDescription, Optional: true},
				"args":        providerschema.ListAttribute{MarkdownDescription: argsDescription, Optional: true, ElementType: types.StringType},
				"env": providerschema.MapAttribute{
					MarkdownDescription: envDescription, Optional: true, Sensitive: true, ElementType: types.StringType,
				},
			},
		},
	}
	attributes["ocm"] = providerschema.SingleNestedAttribute{
		MarkdownDescription: ocmDescription,
		Optional:            true,
		Attributes: map[string]providerschema.Attribute{
			"hub":      providerschema.StringAttribute{MarkdownDescription: ocmHubDescription, Required: true},
			"cluster":  providerschema.StringAttribute{MarkdownDescription: ocmClusterDescription, Required: true},
			"executor": providerschema.StringAttribute{MarkdownDescription: ocmExecutorDescription, Optional: true},
		},
	}
	for _, a := range connectionAttributes {
		if a.flag {
			attributes[a.name] = providerschema.BoolAttribute{MarkdownDescription: a.description, Optional: true}
			continue
		}
		attributes[a.name] = providerschema.StringAttribute{MarkdownDescription: a.description, Optional: true, Sensitive: a.secret}
	}
	return attributes
}

// resourceConnectionAttributes are those of a resource's own connection.
func resourceConnectionAttributes() map[string]resourceschema.Attribute {
	attributes := map[string]resourceschema.Attribute{
		"exec": resourceschema.SingleNestedAttribute{
			MarkdownDescription: execDescription + " Its environment is given in the provider's `connections`.",
			Optional:            true,
			Attributes: map[string]resourceschema.Attribute{
				"api_version": resourceschema.StringAttribute{MarkdownDescription: apiVersionDescription, Optional: true},
				"command":     resourceschema.StringAttribute{MarkdownDescription: commandDescription, Optional: true},
				"args":        resourceschema.ListAttribute{MarkdownDescription: argsDescription, Optional: true, ElementType: types.StringType},
			},
		},
	}
	attributes["ocm"] = resourceschema.SingleNestedAttribute{
		MarkdownDescription: ocmDescription,
		Optional:            true,
		Attributes: map[string]resourceschema.Attribute{
			"hub":      resourceschema.StringAttribute{MarkdownDescription: ocmHubDescription, Required: true},
			"cluster":  resourceschema.StringAttribute{MarkdownDescription: ocmClusterDescription, Required: true},
			"executor": resourceschema.StringAttribute{MarkdownDescription: ocmExecutorDescription, Optional: true},
		},
	}
	for _, a := range connectionAttributes {
		switch {
		case a.secret:
		case a.flag:
			attributes[a.name] = resourceschema.BoolAttribute{MarkdownDescription: a.description, Optional: true}
		default:
			attributes[a.name] = resourceschema.StringAttribute{MarkdownDescription: a.description, Optional: true}
		}
	}
	return attributes
}

// connectionFrom reads a connection of either kind. known is false when any part of it is unknown; the connection then
// holds the parts that are known.
func connectionFrom(object types.Object) (c cluster.Connection, known bool) {
	if object.IsUnknown() {
		return c, false
	}
	r := connectionReader{attributes: object.Attributes(), known: true}
	c = cluster.Connection{
		Host: r.text("host"), ClusterCACertificate: r.text("cluster_ca_certificate"), TLSServerName: r.text("tls_server_name"),
		Insecure: r.flag("insecure"), ProxyURL: r.text("proxy_url"), Token: r.text("token"), TokenFile: r.text("token_file"),
		ClientCertificate: r.text("client_certificate"), ClientKey: r.text("client_key"),
		KubeconfigPath: r.text("kubeconfig_path"), Context: r.text("context"), InCluster: r.flag("in_cluster"),
	}
	if exec, ok := read[types.Object](&r, "exec"); ok {
		inner := connectionReader{attributes: exec.Attributes(), known: true}
		c.Exec = &cluster.Exec{
			APIVersion: inner.text("api_version"), Command: inner.text("command"),
			Args: inner.texts("args"), Env: inner.environment(),
		}
		r.known = r.known && inner.known
	}
	if ocm, ok := read[types.Object](&r, "ocm"); ok {
		inner := connectionReader{attributes: ocm.Attributes(), known: true}
		c.OCM = &cluster.OCM{Hub: inner.text("hub"), Cluster: inner.text("cluster"), Executor: inner.text("executor")}
		r.known = r.known && inner.known
	}
	return c, r.known
}

// connectionReader reads attributes one by one, because the two kinds of connection have different ones.
type connectionReader struct {
	attributes map[string]attr.Value
	known      bool
}

// read returns an attribute that has a value, and notes one that is unknown.
func read[T attr.Value](r *connectionReader, name string) (T, bool) {
	var none T
	value, found := r.attributes[name]
	if !found || value.IsNull() {
		return none, false
	}
	if value.IsUnknown() {
		r.known = false
		return none, false
	}
	typed, ok := value.(T)
	return typed, ok
}

func (r *connectionReader) text(name string) string {
	value, _ := read[types.String](r, name)
	return value.ValueString()
}

func (r *connectionReader) flag(name string) *bool {
	if value, ok := read[types.Bool](r, name); ok {
		return value.ValueBoolPointer()
	}
	return nil
}

func (r *connectionReader) texts(name string) []string {
	value, ok := read[types.List](r, name)
	if !ok {
		return nil
	}
	texts := make([]string, 0, len(value.Elements()))
	for _, element := range value.Elements() {
		text, known := knownText(element)
		r.known = r.known && known
		texts = append(texts, text)
	}
	return texts
}

func (r *connectionReader) environment() map[string]string {
	value, ok := read[types.Map](r, "env")
	if !ok {
		return nil
	}
	texts := make(map[string]string, len(value.Elements()))
	for name, element := range value.Elements() {
		text, known := knownText(element)
		r.known = r.known && known
		if !element.IsNull() {
			texts[name] = text
		}
	}
	return texts
}

// knownText is the text of a value, and whether it is known.
func knownText(value attr.Value) (string, bool) {
	text, ok := value.(types.String)
	return text.ValueString(), ok && !text.IsUnknown()
}

// connectionProblems checks what is known of a connection, with the path of the attribute to blame.
func connectionProblems(object types.Object, at path.Path) diag.Diagnostics {
	var diags diag.Diagnostics
	if object.IsNull() || object.IsUnknown() {
		return diags
	}
	c, known := connectionFrom(object)
	if c.OCM != nil && !known {
		// What is missing may only not be known yet.
		return diags
	}
	for _, problem := range c.Check() {
		diags.AddAttributeError(attributePath(at, problem.Attribute), "Invalid connection", sentence(problem.Message))
	}
	return diags
}
