// Package cluster runs one cluster: etcd, the programs of the control plane, and
// kwok, which plays the nodes.
package cluster

import (
	"fmt"
	"path/filepath"
)

// State says whether a cluster is meant to run.
type State string

// The states of a cluster.
const (
	Starting State = "starting"
	Running  State = "running"
	Stopped  State = "stopped"
)

// LogDirName is the directory in a fleet's that holds the logs of its programs.
// It is apart from the clusters' directories, so that it can outlive them, and
// its name is one that nobody else gives a directory: it is removed unasked.
const LogDirName = "controlplane-logs"

// Cluster is one cluster as fleet.json has it: all that it takes to use it, to
// stop it and to start it again.
type Cluster struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Minor   string `json:"minor"`
	State   State  `json:"state"`
	Host    string `json:"host"`
	// ServerName is a name, beside the host's, that the server's certificate holds.
	ServerName            string         `json:"serverName"`
	Region                string         `json:"region"`
	Nodes                 int            `json:"nodes"`
	Dir                   string         `json:"dir"`
	LogDir                string         `json:"logDir"`
	CAFile                string         `json:"caFile"`
	CAKeyFile             string         `json:"caKeyFile"`
	ClientCertFile        string         `json:"clientCertFile"`
	ClientKeyFile         string         `json:"clientKeyFile"`
	ServiceAccountKeyFile string         `json:"serviceAccountKeyFile"`
	AuditLog              string         `json:"auditLog"`
	Ports                 Ports          `json:"ports"`
	PIDs                  map[string]int `json:"pids"`
	// Programs are the files of the programs, by name.
	Programs map[string]string `json:"programs"`
}

// Ports are the loopback ports of a cluster, which it keeps when it is stopped
// and started.
type Ports struct {
	API        int `json:"api"`
	EtcdClient int `json:"etcdClient"`
	EtcdPeer   int `json:"etcdPeer"`
}

// New describes a cluster whose files are below dir/name.
func New(dir, name, region, version, minor string, nodes int, ports Ports, programs map[string]string) *Cluster {
	c := &Cluster{
		Name:       name,
		Version:    version,
		Minor:      minor,
		State:      Starting,
		Host:       fmt.Sprintf("https://127.0.0.1:%d", ports.API),
		ServerName: name + ".fleet.test",
		Region:     region,
		Nodes:      nodes,
		Dir:        filepath.Join(dir, name),
		LogDir:     filepath.Join(dir, LogDirName, name),
		Ports:      ports,
		PIDs:       map[string]int{},
		Programs:   programs,
	}
	c.CAFile = c.pki("ca.crt")
	c.CAKeyFile = c.pki("ca.key")
	c.ClientCertFile = c.pki("admin.crt")
	c.ClientKeyFile = c.pki("admin.key")
	c.ServiceAccountKeyFile = c.pki("sa.key")
	c.AuditLog = c.file("audit.log")
	return c
}

func (c *Cluster) pki(name string) string { return filepath.Join(c.Dir, "pki", name) }

func (c *Cluster) file(name string) string { return filepath.Join(c.Dir, name) }

// LogFile is where the output of a program goes.
func (c *Cluster) LogFile(program string) string { return filepath.Join(c.LogDir, program+".log") }
