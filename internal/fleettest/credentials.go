package fleettest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
)

// AdminRules allow everything.
func AdminRules() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}},
		{NonResourceURLs: []string{"*"}, Verbs: []string{"*"}},
	}
}

// ExpiredToken is a token that the cluster did sign, for a service account of any name, and that has expired.
func (c *Cluster) ExpiredToken(t testing.TB) string {
	t.Helper()
	block, _ := pem.Decode([]byte(read(t, c.ServiceAccountKeyFile)))
	if block == nil {
		t.Fatalf("%s is no PEM file", c.ServiceAccountKeyFile)
	}
	now := time.Now()
	issuer := "https://kubernetes.default.svc.cluster.local"
	return signJWT(t, block.Bytes, map[string]any{
		"iss": issuer, "aud": []string{issuer}, "sub": "system:serviceaccount:default:default",
		"iat": now.Add(-2 * time.Hour).Unix(), "nbf": now.Add(-2 * time.Hour).Unix(), "exp": now.Add(-time.Hour).Unix(),
		"kubernetes.io": map[string]any{"namespace": "default", "serviceaccount": map[string]any{"name": "default", "uid": "0"}},
	})
}

func signJWT(t testing.TB, der []byte, claims map[string]any) string {
	t.Helper()
	key, err := parseKey(der)
	if err != nil {
		t.Fatal(err)
	}
	algorithm := "RS256"
	if _, ok := key.(*ecdsa.PrivateKey); ok {
		algorithm = "ES256"
	}
	text := segment(t, map[string]any{"alg": algorithm, "typ": "JWT"}) + "." + segment(t, claims)
	digest := sha256.Sum256([]byte(text))
	var signature []byte
	switch key := key.(type) {
	case *rsa.PrivateKey:
		signature, err = rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	case *ecdsa.PrivateKey:
		var r, s *big.Int
		if r, s, err = ecdsa.Sign(rand.Reader, key, digest[:]); err == nil {
			signature = make([]byte, 64)
			r.FillBytes(signature[:32])
			s.FillBytes(signature[32:])
		}
	default:
		t.Fatalf("a key of type %T", key)
	}
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func segment(t testing.TB, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func parseKey(der []byte) (any, error) {
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return x509.ParsePKCS8PrivateKey(der)
}

// SignClient makes credentials for a user, signed by the cluster's authority; validFor may be negative.
func (c *Cluster) SignClient(t testing.TB, user string, groups []string, validFor time.Duration) (certificate, key string) {
	t.Helper()
	return c.sign(t, &x509.Certificate{
		Subject:     pkix.Name{CommonName: user, Organization: groups},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		NotAfter:    time.Now().Add(validFor),
	})
}

// signServer makes a certificate for a server on this machine, as the cluster's own.
func (c *Cluster) signServer(t testing.TB) tls.Certificate {
	t.Helper()
	certificate, key := c.sign(t, &x509.Certificate{
		Subject:     pkix.Name{CommonName: "proxy of " + c.Name},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost", c.ServerName},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotAfter:    time.Now().Add(24 * time.Hour),
	})
	pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func (c *Cluster) sign(t testing.TB, template *x509.Certificate) (certificate, key string) {
	t.Helper()
	authority, err := tls.LoadX509KeyPair(c.CAFile, c.CAKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber, template.KeyUsage = serial, x509.KeyUsageDigitalSignature
	template.NotBefore = time.Now().Add(-48 * time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, authority.Leaf, own.Public(), authority.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	ownDER, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: ownDER}))
}

func encode(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// cleanupContext outlives the test's own context, which has ended when cleanups run.
func cleanupContext(t testing.TB) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
}
