package pki

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
)

func TestCertificatesChainToTheAuthority(t *testing.T) {
	dir := t.TempDir()
	authority, err := NewAuthority(dir, "eu-1")
	if err != nil {
		t.Fatal(err)
	}
	if err := authority.Server("server", "127.0.0.1", "eu-1.fleet.test"); err != nil {
		t.Fatal(err)
	}
	if err := authority.Client("admin", "fleet-admin", "system:masters"); err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		t.Fatal("ca.crt holds no certificate")
	}
	for _, test := range []struct {
		name, host string
		usage      x509.ExtKeyUsage
	}{
		{"server", "127.0.0.1", x509.ExtKeyUsageServerAuth},
		{"server", "eu-1.fleet.test", x509.ExtKeyUsageServerAuth},
		{"admin", "", x509.ExtKeyUsageClientAuth},
	} {
		pair, err := tls.LoadX509KeyPair(filepath.Join(dir, test.name+".crt"), filepath.Join(dir, test.name+".key"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: test.host, KeyUsages: []x509.ExtKeyUsage{test.usage}})
		if err != nil {
			t.Errorf("%s for %q: %v", test.name, test.host, err)
		}
		if test.name == "admin" && (pair.Leaf.Subject.CommonName != "fleet-admin" || pair.Leaf.Subject.Organization[0] != "system:masters") {
			t.Errorf("admin's subject is %s", pair.Leaf.Subject)
		}
	}
}

func TestPrivateKeysAreForTheOwnerOnly(t *testing.T) {
	dir := t.TempDir()
	if _, err := NewAuthority(dir, "eu-1"); err != nil {
		t.Fatal(err)
	}
	if err := ServiceAccountKeys(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ca.key", "sa.key"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", name, info.Mode().Perm())
		}
	}
}
