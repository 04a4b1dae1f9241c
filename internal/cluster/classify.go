package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// target is whom a client talks to, for the errors about it.
type target struct {
	name string
	host string
	conn Connection
}

// redact takes every secret of the connection out of a text.
func (t target) redact(text string) string {
	for _, secret := range t.conn.secretValues() {
		// A secret of a letter or two would tear every message apart, and is none.
		if len(secret) > 3 {
			text = strings.ReplaceAll(text, secret, "(secret)")
		}
	}
	return text
}

// classify turns an error of a request into a typed error where it is about the cluster as a whole.
func (t target) classify(err error) error {
	if through := (*ThroughHubError)(nil); errors.As(err, &through) {
		return through
	}
	if err == nil || errors.Is(err, context.Canceled) || isTyped(err) {
		return err
	}
	if status := apierrors.APIStatus(nil); errors.As(err, &status) {
		return t.classifyStatus(err, status.Status())
	}
	if typed := t.classifyTLS(err); typed != nil {
		return typed
	}
	if strings.Contains(err.Error(), "getting credentials: ") {
		_, problem, _ := strings.Cut(err.Error(), "getting credentials: ")
		return &CredentialsError{Cluster: t.name, Host: t.host, Problem: t.redact(pluginProblem(errors.New(problem)))}
	}
	if strings.Contains(err.Error(), "Proxy Authentication Required") {
		return &CredentialsError{Cluster: t.name, Host: t.host, Problem: "the proxy in proxy_url wants credentials, or others than it got (407)"}
	}
	if cause := t.networkCause(err); cause != nil {
		if strings.Contains(err.Error(), "proxyconnect ") {
			cause = fmt.Errorf("the proxy: %w", cause)
		}
		return &UnreachableError{Cluster: t.name, Host: t.host, Err: cause}
	}
	return err
}

func isTyped(err error) bool {
	var unreachable *UnreachableError
	var credentials *CredentialsError
	var certificate *CertificateError
	var forbidden *ForbiddenError
	var invalid *InvalidError
	return errors.As(err, &unreachable) || errors.As(err, &credentials) || errors.As(err, &certificate) ||
		errors.As(err, &forbidden) || errors.As(err, &invalid)
}

func (t target) classifyStatus(err error, status metav1.Status) error {
	switch {
	case status.Code == http.StatusUnauthorized:
		return &CredentialsError{Cluster: t.name, Host: t.host, Problem: "the API server answered 401 Unauthorized: " + t.presented(time.Now())}
	case status.Code == http.StatusForbidden && strings.Contains(status.Message, `"system:anonymous"`):
		return &CredentialsError{Cluster: t.name, Host: t.host,
			Problem: "the API server took us for system:anonymous: " + t.presented(time.Now())}
	}
	return err
}

// presented says what we authenticated with, and what can be seen to be wrong with it from here.
func (t target) presented(now time.Time) string {
	c := t.conn
	token := c.Token
	if c.TokenFile != "" {
		if text, err := os.ReadFile(c.TokenFile); err == nil {
			token = strings.TrimSpace(string(text))
		}
	}
	expiry := func(what string, at time.Time) string {
		if at.IsZero() || at.After(now) {
			return what + " was not accepted"
		}
		return fmt.Sprintf("%s expired at %s", what, at.UTC().Format(time.RFC3339))
	}
	switch {
	case c.TokenFile != "":
		return expiry("the token in "+c.TokenFile, tokenExpiry(token))
	case token != "":
		return expiry("the token", tokenExpiry(token))
	case c.Exec != nil:
		return fmt.Sprintf("the credentials of the exec plugin %q were not accepted", c.Exec.Command)
	case c.ClientCertificate != "":
		if block, _ := pem.Decode([]byte(c.ClientCertificate)); block != nil {
			if leaf, err := x509.ParseCertificate(block.Bytes); err == nil {
				return expiry("the client certificate of "+leaf.Subject.String()+", issued by "+leaf.Issuer.String()+",", leaf.NotAfter)
			}
		}
		return "the client certificate was not accepted"
	case c.Username != "":
		return "the user name and password were not accepted"
	}
	return "the connection has no credentials; give a token, token_file, client_certificate or exec"
}

// tokenExpiry is when a token expires, if it is a JWT that says so.
func tokenExpiry(token string) time.Time {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return time.Time{}
	}
	var claims struct {
		Expiry int64 `json:"exp"`
	}
	if json.Unmarshal(payload, &claims) != nil || claims.Expiry == 0 {
		return time.Time{}
	}
	return time.Unix(claims.Expiry, 0)
}

func (t target) classifyTLS(err error) error {
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	var alert tls.AlertError
	var record tls.RecordHeaderError
	wrong := &CertificateError{Cluster: t.name, Host: t.host}
	if errors.As(err, &verification) && len(verification.UnverifiedCertificates) > 0 {
		leaf := verification.UnverifiedCertificates[0]
		wrong.Presented = describe(leaf)
	}
	switch {
	case errors.As(err, &hostname):
		wrong.Problem = "it is not valid for the name asked for"
		wrong.Expected = "a certificate for " + hostname.Host + "; where the host has another name in its certificate, set tls_server_name"
		return wrong
	case errors.As(err, &authority):
		wrong.Problem = "it is signed by an unknown authority"
		wrong.Expected = t.expectedAuthority()
		return wrong
	case errors.As(err, &invalid):
		wrong.Problem = invalid.Error()
		return wrong
	case errors.As(err, &verification):
		wrong.Problem = verification.Err.Error()
		wrong.Expected = t.expectedAuthority()
		return wrong
	case errors.As(err, &alert), strings.Contains(err.Error(), "remote error: tls: "):
		return &CredentialsError{Cluster: t.name, Host: t.host,
			Problem: "the server broke the TLS handshake off (" + lastOf(err) + "): " + t.presented(time.Now())}
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return &InvalidError{Cluster: t.name, Place: t.host, Attribute: "host", Problem: "the server speaks plain HTTP there, not TLS"}
	}
	return nil
}

func describe(leaf *x509.Certificate) string {
	names := slices.Clone(leaf.DNSNames)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	return fmt.Sprintf("%s, for %s, issued by %s, valid until %s",
		leaf.Subject, orNone(names), leaf.Issuer, leaf.NotAfter.UTC().Format(time.RFC3339))
}

func (t target) expectedAuthority() string {
	var subjects []string
	for rest := []byte(t.conn.ClusterCACertificate); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if ca, err := x509.ParseCertificate(block.Bytes); err == nil {
			subjects = append(subjects, ca.Subject.String())
		}
	}
	if len(subjects) == 0 {
		return "one signed by an authority this machine trusts, since there is no cluster_ca_certificate"
	}
	return "one signed by " + strings.Join(subjects, " or ") + " (cluster_ca_certificate)"
}

// networkCause words what the network did, or is nil when it did nothing wrong.
func (t target) networkCause(err error) error {
	var dns *net.DNSError
	var op *net.OpError
	var urlError *url.Error
	switch {
	case errors.As(err, &dns):
		return fmt.Errorf("the name %s does not resolve", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("connection refused")
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return errors.New("connection reset by peer")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the connection was closed in the middle of an exchange")
	case errors.As(err, &op) && op.Op == "dial" && op.Timeout():
		return errors.New("no answer in time")
	case errors.Is(err, context.DeadlineExceeded):
		// The caller ran out of time, which need not be the cluster's fault.
		return nil
	case errors.As(err, &op), errors.As(err, &urlError):
		return errors.New(t.redact(lastOf(err)))
	}
	return nil
}

// timedOut is the cause of a probe that ran out of time, with what an attempt before that met.
func (t target) timedOut(err error, silence noAnswer) error {
	if _, previous, found := strings.Cut(err.Error(), "error from a previous attempt: "); found {
		return fmt.Errorf("%w; before that: %s", silence, t.redact(previous))
	}
	return silence
}

// lastOf is the innermost message, without the URLs and the addresses around it.
func lastOf(err error) string {
	var urlError *url.Error
	if errors.As(err, &urlError) {
		err = urlError.Err
	}
	return err.Error()
}
