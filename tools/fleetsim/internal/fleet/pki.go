package fleet

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// lifetime of all certificates; a fleet is for a run of benchmarks.
const lifetime = 30 * 24 * time.Hour

// authority signs the certificates of all clusters of a fleet.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  crypto.Signer
}

// newAuthority writes ca.crt and ca.key to dir.
func newAuthority(dir string) (*authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of certificates: %w", err)
	}
	a := &authority{dir: dir}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "fleetsim-ca"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	pair, err := a.issue("ca", template)
	if err != nil {
		return nil, err
	}
	a.cert = pair.Leaf
	return a, nil
}

// server makes the certificate that all endpoints show.
func (a *authority) server() (tls.Certificate, error) {
	return a.issue("server", &x509.Certificate{
		Subject: pkix.Name{CommonName: "fleetsim"}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost", "*" + domain}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	})
}

// admin makes the certificate of an administrator of all clusters.
func (a *authority) admin() error {
	_, err := a.issue("admin", &x509.Certificate{
		Subject:  pkix.Name{CommonName: "kubernetes-admin", Organization: []string{"system:masters"}},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return err
}

// issue writes a certificate and its key to name.crt and name.key. The first one signs itself.
func (a *authority) issue(name string, template *x509.Certificate) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a key: %w", err)
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return tls.Certificate{}, fmt.Errorf("draw a serial number: %w", err)
	}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(lifetime)
	parent := a.cert
	if parent == nil {
		parent, a.key = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), a.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("sign the certificate %q: %w", name, err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("encode the key of %q: %w", name, err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	encoded := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	for file, content := range map[string][]byte{name + ".crt": certificate, name + ".key": encoded} {
		if err := os.WriteFile(filepath.Join(a.dir, file), content, 0o600); err != nil {
			return tls.Certificate{}, fmt.Errorf("write a certificate: %w", err)
		}
	}
	pair, err := tls.X509KeyPair(certificate, encoded)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("read back the certificate %q: %w", name, err)
	}
	return pair, nil
}

// config lets endpoints show the certificate, and takes those of administrators.
func (a *authority) config(server tls.Certificate) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{server},
		ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pool,
	}
}
