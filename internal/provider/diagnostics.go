package provider

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
)

// clusterDiagnostics says what is wrong with one cluster, as errors. own is the path of the resource's connection, for
// what is to blame on it.
func clusterDiagnostics(err error, own path.Path) diag.Diagnostics {
	var diags diag.Diagnostics
	if err == nil {
		return diags
	}
	summary, detail := clusterMessage(err)
	var invalid *cluster.InvalidError
	if errors.As(err, &invalid) && invalid.Own {
		diags.AddAttributeError(attributePath(own, invalid.Attribute), summary, detail)
		return diags
	}
	var notConfigured *cluster.NotConfiguredError
	if errors.As(err, &notConfigured) {
		diags.AddAttributeError(path.Root("name"), summary, detail)
		return diags
	}
	diags.AddError(summary, detail)
	return diags
}

// clusterWarnings is clusterDiagnostics for what must not stop a run.
func clusterWarnings(err error, consequence string) diag.Diagnostics {
	var diags diag.Diagnostics
	summary, detail := clusterMessage(err)
	diags.AddWarning(summary, detail+"\n\n"+consequence)
	return diags
}

// clusterMessage words an error of the cluster package: what failed, on which cluster, what was found and expected, and
// what to do.
func clusterMessage(err error) (summary, detail string) {
	var notConfigured *cluster.NotConfiguredError
	var invalid *cluster.InvalidError
	var missing *cluster.MissingCredentialsError
	var unreachable *cluster.UnreachableError
	var credentials *cluster.CredentialsError
	var certificate *cluster.CertificateError
	var forbidden *cluster.ForbiddenError
	var identity *cluster.NoIdentityError
	switch {
	case errors.As(err, &notConfigured):
		return fmt.Sprintf("No connection for cluster %q", notConfigured.Cluster), notConfigured.Places()
	case errors.As(err, &invalid):
		where := invalid.Place
		if invalid.Attribute != "" {
			where += ", " + invalid.Attribute
		}
		return fmt.Sprintf("The connection of cluster %q cannot be used", invalid.Cluster), where + ":\n" + sentence(invalid.Problem)
	case errors.As(err, &missing):
		return fmt.Sprintf("The credentials of cluster %q have left the configuration", missing.Cluster), fmt.Sprintf(
			"It was last reached at %s with %s, which the provider's connections and kubeconfigs no longer give.\n\n"+
				"Keep them there for one more apply, until nothing is owed to the cluster. Where it will never answer again, "+
				"name it in the abandon of the sets that were on it.",
			missing.Host, strings.Join(missing.Missing, " and "))
	case errors.As(err, &unreachable):
		return fmt.Sprintf("Cluster %q does not answer", unreachable.Cluster), fmt.Sprintf("%s: %s", unreachable.Host, sentence(unreachable.Err.Error()))
	case errors.As(err, &credentials):
		detail = fmt.Sprintf("%s: %s", credentials.Host, sentence(credentials.Problem))
		if credentials.Stderr != "" {
			detail += "\n\nThe plugin says:\n  " + strings.ReplaceAll(credentials.Stderr, "\n", "\n  ")
		}
		return fmt.Sprintf("No access to cluster %q", credentials.Cluster), detail
	case errors.As(err, &certificate):
		detail = fmt.Sprintf("%s: %s", certificate.Host, sentence(certificate.Problem))
		if certificate.Presented != "" {
			detail += "\n\npresented: " + certificate.Presented
		}
		if certificate.Expected != "" {
			detail += "\nexpected:  " + certificate.Expected
		}
		return fmt.Sprintf("The certificate of cluster %q is not trusted", certificate.Cluster), detail
	case errors.As(err, &identity):
		return fmt.Sprintf("Cluster %q cannot be told from others", identity.Cluster), fmt.Sprintf("%s: With scope \"namespaced\" a cluster is identified by the uid of the inventory's namespace, "+
			"and there is no namespace %q. Create it there, or name another in the provider's inventory.", identity.Host, identity.Namespace)
	case errors.As(err, &forbidden):
		return fmt.Sprintf("Not allowed on cluster %q", forbidden.Cluster), sentence(forbidden.Denied)
	}
	return "A cluster cannot be worked with", sentence(err.Error())
}

// attributePath is the path of an attribute such as "host" or "exec.command" below another path.
func attributePath(at path.Path, attribute string) path.Path {
	if attribute == "" {
		return at
	}
	for name := range strings.SplitSeq(attribute, ".") {
		at = at.AtName(name)
	}
	return at
}

// sentence makes a sentence of a message: a capital letter and a full stop.
func sentence(message string) string {
	message = strings.TrimSpace(message)
	if message == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(message)
	message = string(unicode.ToUpper(first)) + message[size:]
	if strings.ContainsRune(".!?)", rune(message[len(message)-1])) {
		return message
	}
	return message + "."
}
