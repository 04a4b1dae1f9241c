package cluster

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// execExtension is the cluster extension whose content client-go passes on to credential plugins.
const execExtension = "client.authentication.k8s.io/exec"

// parseKubeconfig reads a kubeconfig text. The error never quotes the text, since it holds credentials.
func parseKubeconfig(text string) (*clientcmdapi.Config, error) {
	config, err := clientcmd.Load([]byte(text))
	if err != nil {
		return nil, errors.New("the text does not parse as a kubeconfig: " + withoutQuotes(err.Error()))
	}
	if len(config.Contexts) == 0 {
		return nil, errors.New("the text is no kubeconfig: it has no contexts")
	}
	return config, nil
}

// withoutQuotes keeps of a YAML or JSON error what cannot be a piece of the text: everything up to the first quote.
func withoutQuotes(message string) string {
	if i := strings.IndexAny(message, "\"'`"); i > 0 {
		return strings.TrimRight(message[:i], " :") + " (the rest of the message may quote credentials)"
	}
	return message
}

// contextOf picks the context to use: the one named, or the current one, or the only one.
func contextOf(config *clientcmdapi.Config, name string) (string, error) {
	names := slices.Sorted(maps.Keys(config.Contexts))
	switch {
	case name != "":
		if config.Contexts[name] == nil {
			return "", fmt.Errorf("there is no context %q; there are: %s", name, orNone(names))
		}
		return name, nil
	case config.CurrentContext != "":
		if config.Contexts[config.CurrentContext] == nil {
			return "", fmt.Errorf("current-context is %q, which is not there; there are: %s", config.CurrentContext, orNone(names))
		}
		return config.CurrentContext, nil
	case len(names) == 1:
		return names[0], nil
	}
	return "", fmt.Errorf("there is no current-context to choose among: %s", orNone(names))
}

// flatten turns one context of a kubeconfig into a connection. Certificate files are read, so that the result stands
// for itself; token files stay files, since client-go reads them again as they change.
func flatten(config *clientcmdapi.Config, name string) (Connection, error) {
	context := config.Contexts[name]
	server, user := config.Clusters[context.Cluster], config.AuthInfos[context.AuthInfo]
	if server == nil {
		return Connection{}, fmt.Errorf("context %q names the cluster %q, which is not there", name, context.Cluster)
	}
	if user == nil && context.AuthInfo != "" {
		return Connection{}, fmt.Errorf("context %q names the user %q, which is not there", name, context.AuthInfo)
	}
	if user == nil {
		user = &clientcmdapi.AuthInfo{}
	}
	if user.AuthProvider != nil {
		return Connection{}, fmt.Errorf("user %q uses auth-provider %q, which client-go no longer has; use its exec plugin", context.AuthInfo, user.AuthProvider.Name)
	}
	c := Connection{
		Host: server.Server, TLSServerName: server.TLSServerName, ProxyURL: server.ProxyURL,
		Token: user.Token, TokenFile: user.TokenFile, Username: user.Username, Password: user.Password,
	}
	if server.InsecureSkipTLSVerify {
		c.Insecure = &server.InsecureSkipTLSVerify
	}
	for _, text := range []struct {
		into  *string
		data  []byte
		file  string
		field string
	}{
		{&c.ClusterCACertificate, server.CertificateAuthorityData, server.CertificateAuthority, "certificate-authority"},
		{&c.ClientCertificate, user.ClientCertificateData, user.ClientCertificate, "client-certificate"},
		{&c.ClientKey, user.ClientKeyData, user.ClientKey, "client-key"},
	} {
		if len(text.data) == 0 && text.file != "" {
			data, err := os.ReadFile(text.file)
			if err != nil {
				return Connection{}, fmt.Errorf("%s of context %q: %w", text.field, name, err)
			}
			text.data = data
		}
		*text.into = string(text.data)
	}
	if c.TokenFile != "" {
		// client-go prefers the file and falls back on the token, which may be stale.
		c.Token = ""
	}
	if user.Exec != nil {
		c.Exec = flattenExec(user.Exec)
		c.Exec.config = server.Extensions[execExtension]
	}
	if user.Impersonate != "" {
		c.Impersonate = &Impersonation{
			User: user.Impersonate, UID: user.ImpersonateUID,
			Groups: user.ImpersonateGroups, Extra: user.ImpersonateUserExtra,
		}
	}
	return c, nil
}

func flattenExec(e *clientcmdapi.ExecConfig) *Exec {
	result := &Exec{
		APIVersion: e.APIVersion, Command: e.Command, Args: slices.Clone(e.Args),
		InstallHint: e.InstallHint, ProvideClusterInfo: e.ProvideClusterInfo,
	}
	for _, variable := range e.Env {
		if result.Env == nil {
			result.Env = map[string]string{}
		}
		result.Env[variable.Name] = variable.Value
	}
	return result
}

// kubeconfigText is the connection in a whole kubeconfig text, by its current context.
func kubeconfigText(text string) (Connection, error) {
	config, err := parseKubeconfig(text)
	if err != nil {
		return Connection{}, err
	}
	name, err := contextOf(config, "")
	if err != nil {
		return Connection{}, err
	}
	return flatten(config, name)
}

// loadFiles reads kubeconfig files and merges them as kubectl does. Files that do not exist are left out and listed.
func loadFiles(paths []string) (config *clientcmdapi.Config, missing map[string]bool, err error) {
	missing = map[string]bool{}
	rules := &clientcmd.ClientConfigLoadingRules{}
	for _, path := range paths {
		file, err := expand(path)
		if err != nil {
			return nil, nil, err
		}
		text, err := os.ReadFile(file)
		switch {
		case errors.Is(err, os.ErrNotExist):
			missing[path] = true
			continue
		case err != nil:
			return nil, nil, err
		}
		// Parsed once more by the loading rules below, whose error would quote the text.
		if _, err := clientcmd.Load(text); err != nil {
			return nil, nil, fmt.Errorf("%s does not parse as a kubeconfig: %s", path, withoutQuotes(err.Error()))
		}
		rules.Precedence = append(rules.Precedence, file)
	}
	if len(rules.Precedence) == 0 {
		return clientcmdapi.NewConfig(), missing, nil
	}
	if config, err = rules.Load(); err != nil {
		return nil, nil, errors.New(withoutQuotes(err.Error()))
	}
	return config, missing, nil
}

// kubeconfig is the connection in one of the contexts of kubeconfig files, merged as with KUBECONFIG. It names the
// path and the context to find it again by.
func (f *files) kubeconfig(paths []string, context string) (Connection, error) {
	label := strings.Join(paths, string(filepath.ListSeparator))
	config, missing, err := f.load(paths)
	if err != nil {
		return Connection{}, err
	}
	if len(missing) == len(paths) {
		return Connection{}, fmt.Errorf("%s: no such file", label)
	}
	name, err := contextOf(config, context)
	if err != nil {
		return Connection{}, fmt.Errorf("%s: %w", label, err)
	}
	c, err := flatten(config, name)
	if err != nil {
		return Connection{}, fmt.Errorf("%s: %w", label, err)
	}
	c.KubeconfigPath, c.Context = pathOf(config, name, paths), name
	return c, nil
}

// files keeps the kubeconfig files read last, for as long as they stay the same: a fleet has one file and hundreds of
// contexts.
type files struct {
	mu    sync.Mutex
	stamp string
	last  *clientcmdapi.Config
}

func (f *files) load(paths []string) (*clientcmdapi.Config, map[string]bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var stamp strings.Builder
	complete := true
	for _, path := range paths {
		file, err := expand(path)
		if err != nil {
			return nil, nil, err
		}
		info, err := os.Stat(file)
		if err != nil {
			complete = false
			break
		}
		fmt.Fprintf(&stamp, "%s %d %d\n", path, info.Size(), info.ModTime().UnixNano())
	}
	if complete && f.last != nil && stamp.String() == f.stamp {
		return f.last, nil, nil
	}
	config, missing, err := loadFiles(paths)
	if err == nil && complete {
		f.last, f.stamp = config, stamp.String()
	}
	return config, missing, err
}

// contextsAt lists the contexts of every path by itself, for messages.
func contextsAt(paths []string) ([]ContextsAt, error) {
	var found []ContextsAt
	for _, path := range paths {
		config, missing, err := loadFiles([]string{path})
		if err != nil {
			return nil, err
		}
		found = append(found, ContextsAt{Path: path, Contexts: slices.Sorted(maps.Keys(config.Contexts)), Missing: missing[path]})
	}
	return found, nil
}

// pathOf is the path to record for a context: the one file that holds all of it, as the configuration wrote it, else
// all files.
func pathOf(config *clientcmdapi.Config, name string, paths []string) string {
	context := config.Contexts[name]
	origin := context.LocationOfOrigin
	if server := config.Clusters[context.Cluster]; server != nil && server.LocationOfOrigin != origin {
		origin = ""
	}
	if user := config.AuthInfos[context.AuthInfo]; user != nil && user.LocationOfOrigin != origin {
		origin = ""
	}
	for _, path := range paths {
		if file, err := expand(path); err == nil && file == origin {
			return path
		}
	}
	return strings.Join(paths, string(filepath.ListSeparator))
}

// expand resolves a leading ~, which is kept wherever the path is recorded, so that a state works on other machines.
func expand(path string) (string, error) {
	if path != "~" && !strings.HasPrefix(path, "~/") && !strings.HasPrefix(path, `~\`) {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return filepath.Join(home, path[1:]), nil
}

// inCluster is the connection that the pod this process runs in is given.
func inCluster() (Connection, error) {
	config, err := rest.InClusterConfig()
	if err != nil {
		return Connection{}, fmt.Errorf("this process does not run in a cluster: %w", err)
	}
	c := Connection{Host: config.Host, TokenFile: config.BearerTokenFile}
	if config.CAFile != "" {
		ca, err := os.ReadFile(config.CAFile)
		if err != nil {
			return Connection{}, err
		}
		c.ClusterCACertificate = string(ca)
	}
	return c, nil
}
