package fleet

import (
	"errors"
	"fmt"
	"os"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// writeKubeconfig writes one file with a context, a cluster and a user of the
// same name for every cluster. The certificates are inline, so that the file
// can be copied.
func (f *Fleet) writeKubeconfig() error {
	config := clientcmdapi.NewConfig()
	for _, c := range f.Clusters {
		ca, caErr := os.ReadFile(c.CAFile)
		certificate, certificateErr := os.ReadFile(c.ClientCertFile)
		key, keyErr := os.ReadFile(c.ClientKeyFile)
		if err := errors.Join(caErr, certificateErr, keyErr); err != nil {
			return fmt.Errorf("reading the certificates of %s: %w", c.Name, err)
		}
		config.Clusters[c.Name] = &clientcmdapi.Cluster{Server: c.Host, CertificateAuthorityData: ca}
		config.AuthInfos[c.Name] = &clientcmdapi.AuthInfo{ClientCertificateData: certificate, ClientKeyData: key}
		config.Contexts[c.Name] = &clientcmdapi.Context{Cluster: c.Name, AuthInfo: c.Name}
	}
	config.CurrentContext = f.Clusters[0].Name
	content, err := clientcmd.Write(*config)
	if err != nil {
		return fmt.Errorf("encoding the kubeconfig: %w", err)
	}
	return writeWhole(f.Kubeconfig, content)
}
