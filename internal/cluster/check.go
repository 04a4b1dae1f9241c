package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// execVersions are the versions of client.authentication.k8s.io that client-go speaks.
var execVersions = []string{"client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"}

// Problem is one thing wrong with a connection, in itself.
type Problem struct {
	// Attribute is the attribute to blame, such as "host" or "exec.api_version".
	Attribute string
	// Message says what was found and what was expected. It contains no secret.
	Message string
}

// Check finds what is wrong with the attributes of one place: texts that do not parse and attributes that contradict
// each other. What is missing is no problem, since another place may say it.
func (c Connection) Check() []Problem {
	if c.OCM != nil {
		return c.checkOCM()
	}
	return append(c.checkTexts(), c.checkConflicts()...)
}

func (c Connection) checkTexts() []Problem {
	var problems []Problem
	add := func(attribute, format string, args ...any) {
		problems = append(problems, Problem{attribute, fmt.Sprintf(format, args...)})
	}
	if c.Host != "" {
		if message := checkHost(c.Host); message != "" {
			add("host", "%s", message)
		}
	}
	if c.ProxyURL != "" {
		if message := checkProxy(c.ProxyURL); message != "" {
			add("proxy_url", "%s", message)
		}
	}
	if c.ClusterCACertificate != "" {
		if err := checkCertificates(c.ClusterCACertificate); err != nil {
			add("cluster_ca_certificate", "%v", err)
		}
	}
	if c.ClientCertificate != "" {
		if err := checkCertificates(c.ClientCertificate); err != nil {
			add("client_certificate", "%v", err)
		}
	}
	if c.ClientKey != "" {
		if err := checkKey(c.ClientKey); err != nil {
			add("client_key", "%v", err)
		}
	}
	if c.ClientCertificate != "" && c.ClientKey != "" && len(problems) == 0 {
		if _, err := tls.X509KeyPair([]byte(c.ClientCertificate), []byte(c.ClientKey)); err != nil {
			add("client_key", "The key does not belong to client_certificate.")
		}
	}
	if c.Exec != nil && c.Exec.APIVersion != "" && !slices.Contains(execVersions, c.Exec.APIVersion) {
		add("exec.api_version", "%q is not a version this provider speaks; want %s.", c.Exec.APIVersion, strings.Join(execVersions, " or "))
	}
	return problems
}

func (c Connection) checkConflicts() []Problem {
	var problems []Problem
	for _, conflict := range []struct {
		first, second string
		both          bool
	}{
		{"token", "token_file", c.Token != "" && c.TokenFile != ""},
		{"exec", "token", c.Exec != nil && c.Token != ""},
		{"exec", "token_file", c.Exec != nil && c.TokenFile != ""},
		{"exec", "client_certificate", c.Exec != nil && c.ClientCertificate != ""},
		{"exec", "client_key", c.Exec != nil && c.ClientKey != ""},
		{"in_cluster", "kubeconfig_path", isTrue(c.InCluster) && c.KubeconfigPath != ""},
		{"in_cluster", "context", isTrue(c.InCluster) && c.Context != ""},
		{"insecure", "cluster_ca_certificate", isTrue(c.Insecure) && c.ClusterCACertificate != ""},
	} {
		if conflict.both {
			problems = append(problems, Problem{conflict.first,
				fmt.Sprintf("both %s and %s are set, and they exclude each other: give one of them", conflict.first, conflict.second)})
		}
	}
	return problems
}

// checkComplete finds what a whole connection lacks.
func (c Connection) checkComplete() []Problem {
	var problems []Problem
	if c.Host == "" {
		problems = append(problems, Problem{"host", "No place gives a host. A context in kubeconfig_paths counts only when nothing else names the cluster; " +
			"name it with context to combine the two."})
	}
	if c.ClientCertificate != "" && c.ClientKey == "" {
		problems = append(problems, Problem{"client_key", "There is a client_certificate, but no client_key."})
	}
	if c.ClientKey != "" && c.ClientCertificate == "" {
		problems = append(problems, Problem{"client_certificate", "There is a client_key, but no client_certificate."})
	}
	if c.Exec != nil && c.Exec.Command == "" {
		problems = append(problems, Problem{"exec.command", "There is an exec, but no command."})
	}
	if c.Exec != nil && c.Exec.APIVersion == "" {
		problems = append(problems, Problem{"exec.api_version", "There is an exec, but no api_version; want " + strings.Join(execVersions, " or ") + "."})
	}
	return problems
}

func checkHost(host string) string {
	u, err := url.Parse(host)
	switch {
	case err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "":
		if err == nil && u.User != nil || strings.Contains(host, "@") {
			return "The host is not a URL such as \"https://10.0.0.1:6443\"."
		}
		return fmt.Sprintf("%q is not a URL such as \"https://10.0.0.1:6443\".", host)
	case u.User != nil:
		return "The host contains a user name or password; give credentials as token, client_certificate or exec."
	case u.RawQuery != "" || u.Fragment != "":
		return fmt.Sprintf("%q has a query or a fragment; want a URL such as \"https://10.0.0.1:6443\".", host)
	}
	return ""
}

func checkProxy(proxy string) string {
	u, err := url.Parse(proxy)
	if err != nil || !slices.Contains([]string{"http", "https", "socks5"}, u.Scheme) || u.Host == "" {
		return "The proxy is not a URL with the scheme http, https or socks5, such as \"http://proxy.example.org:3128\"."
	}
	return ""
}

// checkCertificates wants at least one PEM certificate and nothing that claims to be one but is not.
func checkCertificates(text string) error {
	rest, found := []byte(text), 0
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return fmt.Errorf("certificate %d of the PEM text does not parse: %w", found+1, err)
		}
		found++
	}
	if found == 0 {
		return notPEM(text, "certificate")
	}
	return nil
}

func checkKey(text string) error {
	rest := []byte(text)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return notPEM(text, "private key")
		}
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return nil
		}
	}
}

func notPEM(text, what string) error {
	if plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text)); err == nil && strings.Contains(string(plain), "-----BEGIN") {
		return fmt.Errorf("the text is a base64-encoded %s; want PEM text: wrap it in base64decode()", what)
	}
	if strings.HasSuffix(strings.TrimSpace(text), ".pem") || strings.HasSuffix(strings.TrimSpace(text), ".crt") || strings.HasSuffix(strings.TrimSpace(text), ".key") {
		return fmt.Errorf("the text is a path; want the PEM text of a %s: wrap it in file()", what)
	}
	return fmt.Errorf("the text contains no PEM %s (\"-----BEGIN ...\")", what)
}
