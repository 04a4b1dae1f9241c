package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	authexec "k8s.io/client-go/plugin/pkg/client/auth/exec"
	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	clientgotransport "k8s.io/client-go/transport"
)

const (
	// pluginTimeout is how long a credential plugin may take: some log in over the network.
	pluginTimeout = time.Minute
	// maxStderr is how much of a plugin's stderr an error shows.
	maxStderr = 4 << 10
)

// execConfig is client-go's form of an exec. Terraform gives providers no terminal, so plugins never get one.
func execConfig(e *Exec) *clientcmdapi.ExecConfig {
	config := &clientcmdapi.ExecConfig{
		APIVersion: e.APIVersion, Command: e.Command, Args: e.Args,
		InstallHint: e.InstallHint, ProvideClusterInfo: e.ProvideClusterInfo,
		InteractiveMode: clientcmdapi.NeverExecInteractiveMode,
	}
	for _, name := range slices.Sorted(maps.Keys(e.Env)) {
		config.Env = append(config.Env, clientcmdapi.ExecEnvVar{Name: name, Value: e.Env[name]})
	}
	return config
}

// runPlugin has client-go run the credential plugin, which keeps the credentials for the requests to come. client-go
// writes a plugin's stderr to this process's own, where no user sees it, so a plugin that failed is run once more to
// hear what it has to say.
func (c *Client) runPlugin(ctx context.Context) error {
	credentials, err := pluginCredentials(c.config)
	if err != nil {
		return &InvalidError{Cluster: c.name, Place: "the merged connection", Attribute: "exec", Problem: c.target.redact(err.Error())}
	}
	failed := make(chan error, 1)
	go func() { failed <- credentials() }()
	select {
	case err = <-failed:
	case <-time.After(pluginTimeout):
		return &CredentialsError{Cluster: c.name, Host: c.target.host,
			Problem: fmt.Sprintf("the exec plugin %q did not finish within %s", c.config.ExecProvider.Command, pluginTimeout)}
	}
	if err == nil {
		return nil
	}
	stderr, again := pluginStderr(ctx, c.config.ExecProvider)
	if again == nil && credentials() == nil {
		return nil
	}
	return &CredentialsError{Cluster: c.name, Host: c.target.host,
		Problem: c.target.redact(pluginProblem(err)), Stderr: c.target.redact(stderr)}
}

// pluginProblem rephrases client-go's message.
func pluginProblem(err error) string {
	return "the exec plugin failed: " + strings.TrimPrefix(err.Error(), "exec: ")
}

// pluginCredentials gives access to the credentials that client-go's authenticator for this configuration provides.
// The authenticator is the one the HTTP client uses, too: client-go keeps one per configuration.
func pluginCredentials(config *rest.Config) (func() error, error) {
	var err error
	info, err := rest.ConfigToExecCluster(config)
	if err != nil {
		return nil, err
	}
	if !config.ExecProvider.ProvideClusterInfo {
		info = nil
	}
	authenticator, err := authexec.GetAuthenticator(config.ExecProvider, info)
	if err != nil {
		return nil, err
	}
	hooks := &clientgotransport.Config{}
	if err := authenticator.UpdateTransportConfig(hooks); err != nil {
		return nil, err
	}
	if hooks.TLS.GetCertHolder == nil {
		return nil, errors.New("client-go offers no credentials")
	}
	return func() error {
		_, err := hooks.TLS.GetCertHolder.GetCert()
		return err
	}, nil
}

// pluginStderr runs a plugin for what it writes to stderr; its stdout, the credentials, is dropped.
func pluginStderr(ctx context.Context, config *clientcmdapi.ExecConfig) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, pluginTimeout)
	defer cancel()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, config.Command, config.Args...)
	cmd.WaitDelay = time.Second
	cmd.Stderr = &stderr
	cmd.Env = os.Environ()
	for _, variable := range config.Env {
		cmd.Env = append(cmd.Env, variable.Name+"="+variable.Value)
	}
	cmd.Env = append(cmd.Env, fmt.Sprintf(`KUBERNETES_EXEC_INFO={"apiVersion":%q,"kind":"ExecCredential","spec":{"interactive":false}}`, config.APIVersion))
	err := cmd.Run()
	text := strings.TrimSpace(stderr.String())
	if len(text) > maxStderr {
		text = "... " + text[len(text)-maxStderr:]
	}
	return text, err
}
