package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// File is what fleet.json holds, with the names that tools/controlplane gives to the same things.
type File struct {
	// State is running once all clusters answer.
	State      string `json:"state"`
	Dir        string `json:"dir"`
	Kubeconfig string `json:"kubeconfig"`
	// Simulated is set in fleets of fleetsim only.
	Simulated bool `json:"simulated"`
	// Admin is the URL where the knobs are.
	Admin string `json:"admin"`
	// PID is the process that serves all clusters.
	PID      int       `json:"pid"`
	Clusters []Cluster `json:"clusters"`
}

// Cluster is one cluster as fleet.json has it.
type Cluster struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Minor   string `json:"minor"`
	State   string `json:"state"`
	Host    string `json:"host"`
	// ServerName is a name, beside the host's, that the server's certificate holds.
	ServerName string `json:"serverName"`
	Region     string `json:"region"`
	Nodes      int    `json:"nodes"`
	CAFile     string `json:"caFile"`
	CAKeyFile  string `json:"caKeyFile"`
	// ClientCertFile and ClientKeyFile are an administrator's of all clusters, while the kubeconfig has a token for each.
	ClientCertFile string `json:"clientCertFile"`
	ClientKeyFile  string `json:"clientKeyFile"`
	Ports          Ports  `json:"ports"`

	token string
}

// Ports are the loopback ports of a cluster.
type Ports struct {
	API int `json:"api"`
}

// ErrNone says that a directory holds no simulated fleet.
var ErrNone = errors.New("no simulated fleet")

// Load reads the fleet of a directory. Without one, the error is ErrNone.
func Load(dir string) (*File, error) {
	text, err := os.ReadFile(filepath.Join(dir, "fleet.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w in %s; start one with `fleetsim up`", ErrNone, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("read the fleet: %w", err)
	}
	f := &File{}
	if err := json.Unmarshal(text, f); err != nil {
		return nil, fmt.Errorf("read the fleet of %s: %w", dir, err)
	}
	if !f.Simulated {
		return nil, fmt.Errorf("%w in %s: its clusters are real", ErrNone, dir)
	}
	return f, nil
}

// write writes the kubeconfig and then fleet.json, whose being there says that the fleet is ready.
func (f *File) write() error {
	if err := f.writeKubeconfig(); err != nil {
		return err
	}
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the fleet: %w", err)
	}
	return writeWhole(filepath.Join(f.Dir, "fleet.json"), append(text, '\n'))
}

// writeKubeconfig writes a context, a cluster and a user of the same name for every cluster, each complete, as kubeconfigs of real fleets are.
func (f *File) writeKubeconfig() error {
	config := clientcmdapi.NewConfig()
	for _, c := range f.Clusters {
		ca, err := os.ReadFile(c.CAFile)
		if err != nil {
			return fmt.Errorf("read the authority's certificate: %w", err)
		}
		config.Clusters[c.Name] = &clientcmdapi.Cluster{Server: c.Host, CertificateAuthorityData: ca}
		config.AuthInfos[c.Name] = &clientcmdapi.AuthInfo{Token: c.token}
		config.Contexts[c.Name] = &clientcmdapi.Context{Cluster: c.Name, AuthInfo: c.Name}
	}
	config.CurrentContext = f.Clusters[0].Name
	text, err := clientcmd.Write(*config)
	if err != nil {
		return fmt.Errorf("encode the kubeconfig: %w", err)
	}
	return writeWhole(f.Kubeconfig, text)
}

// remove removes what write wrote, so that nobody takes a fleet that is gone for one that is up.
func (f *File) remove() error {
	return errors.Join(os.Remove(filepath.Join(f.Dir, "fleet.json")), os.Remove(f.Kubeconfig), os.RemoveAll(filepath.Join(f.Dir, "pki")))
}

func writeWhole(path string, text []byte) error {
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
