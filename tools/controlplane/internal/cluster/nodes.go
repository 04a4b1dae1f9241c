package cluster

import (
	"context"
	"fmt"
	"runtime"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
)

// zones is how many zones the nodes of a region are spread over.
const zones = 3

// createNodes creates the nodes that are not there yet.
func (c *Cluster) createNodes(ctx context.Context, client corev1client.CoreV1Interface) error {
	for i := range c.Nodes {
		_, err := client.Nodes().Create(ctx, c.node(i), metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("creating node %d of %s: %w", i+1, c.Name, err)
		}
	}
	return nil
}

func (c *Cluster) node(i int) *corev1.Node {
	name := fmt.Sprintf("%s-node-%d", c.Name, i+1)
	resources := corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse("32"),
		corev1.ResourceMemory:           resource.MustParse("256Gi"),
		corev1.ResourceEphemeralStorage: resource.MustParse("1Ti"),
		corev1.ResourcePods:             resource.MustParse("1000"),
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: name,
			Labels: map[string]string{
				corev1.LabelArchStable:          runtime.GOARCH,
				corev1.LabelOSStable:            "linux",
				corev1.LabelHostname:            name,
				corev1.LabelInstanceTypeStable:  "kwok",
				corev1.LabelTopologyRegion:      c.Region,
				corev1.LabelTopologyZone:        c.Region + "-" + string(rune('a'+i%zones)),
				"node-role.kubernetes.io/agent": "",
			},
			Annotations: map[string]string{"kwok.x-k8s.io/node": "fake"},
		},
		Status: corev1.NodeStatus{
			Capacity:    resources,
			Allocatable: resources,
			Addresses: []corev1.NodeAddress{
				{Type: corev1.NodeInternalIP, Address: fmt.Sprintf("10.0.%d.%d", i/250, i%250+1)},
				{Type: corev1.NodeHostName, Address: name},
			},
			NodeInfo: corev1.NodeSystemInfo{
				Architecture:            runtime.GOARCH,
				OperatingSystem:         "linux",
				OSImage:                 "none (simulated by kwok)",
				ContainerRuntimeVersion: "kwok://simulated",
				KubeletVersion:          c.Version,
			},
		},
	}
}

// nodesReady says whether Pods can be scheduled on all nodes.
func (c *Cluster) nodesReady(ctx context.Context, client corev1client.CoreV1Interface) (bool, error) {
	nodes, err := client.Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return false, fmt.Errorf("listing the nodes of %s: %w", c.Name, err)
	}
	ready := 0
	for _, node := range nodes.Items {
		if len(node.Spec.Taints) == 0 && isReady(node) {
			ready++
		}
	}
	return ready >= c.Nodes, nil
}

func isReady(node corev1.Node) bool {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
