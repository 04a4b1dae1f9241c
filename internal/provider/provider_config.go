package provider

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/progress"
)

// The provider's defaults.
const (
	defaultConnectTimeout      = cluster.DefaultConnectTimeout
	defaultMaxParallelClusters = 32
	defaultOwner               = "default"
	defaultInventoryNamespace  = "fleet-system"
	inventoryScopeCluster      = "cluster"
	inventoryScopeNamespaced   = "namespaced"
)

type providerModel struct {
	KubeconfigPaths     types.List   `tfsdk:"kubeconfig_paths"`
	Connections         types.Map    `tfsdk:"connections"`
	Kubeconfigs         types.Map    `tfsdk:"kubeconfigs"`
	ConnectTimeout      types.String `tfsdk:"connect_timeout"`
	UnreachableAfter    types.String `tfsdk:"unreachable_after"`
	MaxParallelClusters types.Int64  `tfsdk:"max_parallel_clusters"`
	Owner               types.String `tfsdk:"owner"`
	Inventory           types.Object `tfsdk:"inventory"`
	Progress            types.String `tfsdk:"progress"`
}

// clusters is what the configuration says about connections. What is unknown while Terraform plans is noted, so that
// only the clusters it is about become unknown.
func (m providerModel) clusters() (cluster.Config, diag.Diagnostics) {
	config := cluster.Config{
		Connections: map[string]cluster.Connection{}, UnknownConnections: map[string]bool{}, ConnectionsUnknown: m.Connections.IsUnknown(),
		Kubeconfigs: map[string]string{}, UnknownKubeconfigs: map[string]bool{}, KubeconfigsUnknown: m.Kubeconfigs.IsUnknown(),
	}
	for name, element := range m.Connections.Elements() {
		object, ok := element.(types.Object)
		if !ok || object.IsNull() {
			continue
		}
		connection, known := connectionFrom(object)
		config.Connections[name] = connection
		if !known {
			config.UnknownConnections[name] = true
		}
	}
	for name, element := range m.Kubeconfigs.Elements() {
		if element.IsNull() {
			continue
		}
		text, known := knownText(element)
		config.Kubeconfigs[name] = text
		if !known {
			config.UnknownKubeconfigs[name] = true
		}
	}
	config.KubeconfigPaths, config.KubeconfigPathsUnknown = m.kubeconfigPaths()
	var diags diag.Diagnostics
	config.ConnectTimeout, diags = m.connectTimeout()
	config.UnreachableAfter, _ = m.unreachableAfter()
	return config, diags
}

func (m providerModel) kubeconfigPaths() (paths []string, unknown bool) {
	if m.KubeconfigPaths.IsUnknown() {
		return nil, true
	}
	if m.KubeconfigPaths.IsNull() {
		for _, variable := range []string{"KUBE_CONFIG_PATHS", "KUBECONFIG"} {
			for _, file := range filepath.SplitList(os.Getenv(variable)) {
				if file != "" {
					paths = append(paths, file)
				}
			}
			if len(paths) > 0 {
				return paths, false
			}
		}
		return []string{"~/.kube/config"}, false
	}
	for _, element := range m.KubeconfigPaths.Elements() {
		file, known := knownText(element)
		if !known {
			return nil, true
		}
		if file != "" {
			paths = append(paths, file)
		}
	}
	return paths, false
}

func (m providerModel) connectTimeout() (time.Duration, diag.Diagnostics) {
	var diags diag.Diagnostics
	if m.ConnectTimeout.IsNull() || m.ConnectTimeout.IsUnknown() {
		return defaultConnectTimeout, diags
	}
	timeout, err := time.ParseDuration(m.ConnectTimeout.ValueString())
	if err != nil || timeout <= 0 {
		diags.AddAttributeError(path.Root("connect_timeout"), "Invalid duration",
			fmt.Sprintf("%q is not a positive duration such as \"5s\" or \"1m30s\".", m.ConnectTimeout.ValueString()))
	}
	return timeout, diags
}

// unreachableAfter is 0 where clusters are asked once. The validator has refused what is no duration.
func (m providerModel) unreachableAfter() (after time.Duration, known bool) {
	after, _ = time.ParseDuration(m.UnreachableAfter.ValueString())
	return after, !m.UnreachableAfter.IsUnknown()
}

// report opens the file that is to tell how applies get on; nil where there is none, or it is not known yet. One that cannot be opened is
// only a warning: nobody's apply is to fail for it.
func (m providerModel) report() (*progress.Log, diag.Diagnostics) {
	var diags diag.Diagnostics
	file := m.Progress.ValueString()
	if file == "" {
		return nil, nil
	}
	log, err := progress.Open(file, progress.FormatOf(file))
	if err != nil {
		diags.AddAttributeWarning(path.Root("progress"), "Progress is not written", err.Error()+".\n\nEverything else goes on.")
	}
	return log, diags
}

// owner is the stable name of this configuration. While it is unknown it is empty.
func (m providerModel) owner() string {
	if m.Owner.IsUnknown() {
		return ""
	}
	if owner := m.Owner.ValueString(); owner != "" {
		return owner
	}
	if slug := os.Getenv("TFC_WORKSPACE_SLUG"); slug != "" {
		return slug
	}
	return defaultOwner
}

func (m providerModel) inventory() inventorySettings {
	settings := inventorySettings{namespace: defaultInventoryNamespace}
	attributes := m.Inventory.Attributes()
	if namespace, ok := attributes["namespace"].(types.String); ok && namespace.ValueString() != "" {
		settings.namespace = namespace.ValueString()
	}
	if scope, ok := attributes["scope"].(types.String); ok {
		settings.namespaced = scope.ValueString() == inventoryScopeNamespaced
	}
	return settings
}
