package cluster

import (
	"fmt"
	"strings"
	"time"
)

// UnknownError says that a connection cannot be known yet, because a source it depends on is not.
type UnknownError struct {
	Cluster string
	// Source is what is unknown, such as `provider connections["eu-1"]`.
	Source string
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("the connection of cluster %q is not known yet: %s is known only after apply", e.Cluster, e.Source)
}

// ContextsAt lists the contexts found at one kubeconfig path.
type ContextsAt struct {
	Path     string
	Contexts []string
	// Missing is set when there is no such file.
	Missing bool
}

// NotConfiguredError says that no place names the cluster, and lists the places.
type NotConfiguredError struct {
	Cluster string
	// Connections and Kubeconfigs are the names found in the provider's maps.
	Connections []string
	Kubeconfigs []string
	// Contexts are the kubeconfig files looked into.
	Contexts []ContextsAt
	// Suggestion is a name close to the one asked for; empty when there is none.
	Suggestion string
}

func (e *NotConfiguredError) Error() string {
	return fmt.Sprintf("no connection for cluster %q. %s", e.Cluster, e.Places())
}

// Places says where the connection was looked for, and what was found there.
func (e *NotConfiguredError) Places() string {
	places := []string{
		"provider connections (" + orNone(e.Connections) + ")",
		"provider kubeconfigs (" + orNone(e.Kubeconfigs) + ")",
		"the resource's connect (not set)",
	}
	for _, at := range e.Contexts {
		if at.Missing {
			places = append(places, "contexts of "+at.Path+" (no such file)")
			continue
		}
		places = append(places, "contexts of "+at.Path+" ("+orNone(at.Contexts)+")")
	}
	if len(e.Contexts) == 0 {
		places = append(places, "contexts of provider kubeconfig_paths (no paths)")
	}
	text := "Looked in: " + strings.Join(places, ", ") + "."
	if e.Suggestion != "" {
		text += fmt.Sprintf(" Did you mean %q?", e.Suggestion)
	}
	return text
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// InvalidError says that what the configuration says about a cluster cannot be used.
type InvalidError struct {
	Cluster string
	// Place is where it stands, such as `provider kubeconfigs["eu-1"]`.
	Place string
	// Own is set when the place is the resource's own connection.
	Own bool
	// Attribute is the attribute to blame, such as "cluster_ca_certificate"; empty when it is the whole.
	Attribute string
	// Problem says what was found and what was expected.
	Problem string
}

func (e *InvalidError) Error() string {
	place := e.Place
	if e.Attribute != "" {
		place += ", " + e.Attribute
	}
	return fmt.Sprintf("the connection of cluster %q cannot be used: %s: %s", e.Cluster, place, e.Problem)
}

// MissingCredentialsError says that the credentials a cluster was last reached with have left the configuration.
type MissingCredentialsError struct {
	Cluster string
	Host    string
	// Missing names the secret parts, such as "token".
	Missing []string
}

func (e *MissingCredentialsError) Error() string {
	return fmt.Sprintf("cluster %q was last reached with %s, which the provider's configuration no longer gives; keep it for one more apply, "+
		"until nothing is owed to the cluster", e.Cluster, strings.Join(e.Missing, " and "))
}

// UnreachableError says that a cluster does not answer: nobody listens, the network is down, or something in between
// answers in its place.
type UnreachableError struct {
	Cluster string
	Host    string
	Err     error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("cluster %q does not answer at %s: %v", e.Cluster, e.Host, e.Err)
}

// Unwrap gives the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// CredentialsError says that a cluster answers, but does not accept who we are, or that there is nothing to say who we
// are.
type CredentialsError struct {
	Cluster string
	Host    string
	// Problem says what was rejected and, where it can be told, why.
	Problem string
	// Stderr is what a credential plugin that failed had to say.
	Stderr string
}

func (e *CredentialsError) Error() string {
	text := fmt.Sprintf("no access to cluster %q at %s: %s", e.Cluster, e.Host, e.Problem)
	if e.Stderr != "" {
		text += "\n" + e.Stderr
	}
	return text
}

// CertificateError says that a server answers whose certificate is not the one expected.
type CertificateError struct {
	Cluster string
	Host    string
	// Problem says what is wrong with the certificate.
	Problem string
	// Presented and Expected describe the certificate the server showed and what it was measured by.
	Presented string
	Expected  string
}

func (e *CertificateError) Error() string {
	text := fmt.Sprintf("the certificate of cluster %q at %s is not trusted: %s", e.Cluster, e.Host, e.Problem)
	if e.Presented != "" {
		text += "; presented: " + e.Presented
	}
	if e.Expected != "" {
		text += "; expected: " + e.Expected
	}
	return text
}

// ForbiddenError says that a cluster knows who we are and does not allow a request.
type ForbiddenError struct {
	Cluster string
	Host    string
	// Denied describes what is not allowed, with verb and resource.
	Denied string
}

func (e *ForbiddenError) Error() string {
	return fmt.Sprintf("cluster %q does not allow it: %s", e.Cluster, e.Denied)
}

// NoIdentityError says that a cluster lacks the namespace by which it is to be identified.
type NoIdentityError struct {
	Cluster   string
	Host      string
	Namespace string
}

func (e *NoIdentityError) Error() string {
	return fmt.Sprintf("cluster %q has no namespace %q, whose uid is to identify it; create the namespace there", e.Cluster, e.Namespace)
}

// noAnswer is the cause when nothing was heard within the time given.
type noAnswer struct{ after time.Duration }

func (e noAnswer) Error() string { return fmt.Sprintf("no answer within %s", e.after) }
