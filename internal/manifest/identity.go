package manifest

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// identity checks what names the object and returns its key.
func (d *draft) identity() fleet.ObjectKey {
	d.kind = d.required(validKind, "kind")
	if gv, err := schema.ParseGroupVersion(d.required(validAPIVersion, "apiVersion")); err == nil {
		d.group = gv.Group
	}
	key := fleet.ObjectKey{Group: d.group, Kind: d.kind}
	if v, there := d.content["metadata"]; there && v != nil {
		if _, ok := v.(map[string]any); !ok {
			d.fail(pathTo("metadata"), "is not a mapping; want at least a name in it")
			return key
		}
	}
	if _, generated := d.lookup("metadata", "generateName"); generated {
		d.fail(pathTo("metadata", "generateName"), "would make a new object at each apply, which no plan could show; give metadata.name instead")
	} else {
		key.Name = d.required(d.validName, "metadata", "name")
	}
	if v, there := d.lookup("metadata", "namespace"); there && v != "" {
		key.Namespace = d.required(validNamespace, "metadata", "namespace")
	} else if metadata, ok := d.content["metadata"].(map[string]any); ok {
		// An empty namespace says the same as none.
		delete(metadata, "namespace")
	}
	return key
}

// required returns the string that must be at the path, or "" after an error.
func (d *draft) required(complaint func(string) string, path ...string) string {
	v, there := d.lookup(path...)
	s, ok := v.(string)
	switch {
	case !there:
		d.fail(pathTo(path...), "is missing")
		return ""
	case !ok:
		d.fail(pathTo(path...), "%s", notString(v, d.written(pathTo(path...)), false))
		return ""
	}
	if message := complaint(s); message != "" {
		d.fail(pathTo(path...), "is %q, %s", s, message)
		return ""
	}
	return s
}

func validKind(kind string) string {
	if len(validation.IsDNS1035Label(strings.ToLower(kind))) > 0 {
		return "which is no kind; want a word such as Deployment"
	}
	return ""
}

func validAPIVersion(apiVersion string) string {
	group, version, grouped := strings.Cut(apiVersion, "/")
	if !grouped {
		group, version = "", apiVersion
	}
	if len(validation.IsDNS1035Label(version)) > 0 || grouped && len(validation.IsDNS1123Subdomain(group)) > 0 {
		return "which is no API version; want one such as v1 or apps/v1"
	}
	return ""
}

func validNamespace(namespace string) string {
	complaints := validation.IsDNS1123Label(namespace)
	if len(complaints) == 0 {
		return ""
	}
	return "which is no name for a namespace: " + rule(complaints)
}

// dnsNamed are groups all of whose kinds take DNS subdomains as names. Others have their own rules (those of RBAC
// allow colons), which the server knows.
var dnsNamed = []string{
	"", "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "apps", "autoscaling", "batch",
	"coordination.k8s.io", "networking.k8s.io", "node.k8s.io", "policy", "scheduling.k8s.io", "storage.k8s.io",
}

func (d *draft) validName(name string) string {
	var complaints []string
	switch {
	case name == "":
		return "but an object needs a name"
	case d.group == "" && (d.kind == "Namespace" || d.kind == "Service"):
		complaints = validation.IsDNS1123Label(name)
	case slices.Contains(dnsNamed, d.group):
		complaints = validation.IsDNS1123Subdomain(name)
	default:
		complaints = content.IsPathSegmentName(name)
	}
	if len(complaints) == 0 {
		return ""
	}
	return "which is no name for this kind: " + rule(complaints)
}

// rule joins the complaints of the validation package without the regular expressions that end them.
func rule(complaints []string) string {
	for i, complaint := range complaints {
		complaints[i], _, _ = strings.Cut(complaint, " (e.g.")
	}
	return strings.Join(complaints, "; ")
}
