package work

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// kind says how objects of a kind are made.
type kind struct {
	resource schema.GroupVersionResource
	stem     string
	// drift is a merge patch that changes one field that the object speaks of.
	drift string
	fill  func(w Work, i int, name string, content map[string]any)
}

var kinds = map[string]kind{
	"Namespace":      {resource: resource("", "namespaces"), stem: "ns"},
	"ServiceAccount": {resource: resource("", "serviceaccounts"), stem: "account"},
	"ConfigMap":      {resource: resource("", "configmaps"), stem: "config", drift: `{"data":{"log.level":"debug"}}`, fill: fillConfigMap},
	"Service":        {resource: resource("", "services"), stem: "service", drift: `{"spec":{"sessionAffinity":"ClientIP"}}`, fill: fillService},
	"Deployment":     {resource: resource("apps", "deployments"), stem: "web", drift: `{"spec":{"revisionHistoryLimit":3}}`, fill: fillDeployment},
	"Role":           {resource: resource("rbac.authorization.k8s.io", "roles"), stem: "role", fill: fillRole},
	"RoleBinding":    {resource: resource("rbac.authorization.k8s.io", "rolebindings"), stem: "binding", fill: fillRoleBinding},
}

func resource(group, name string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: group, Version: "v1", Resource: name}
}

func fillConfigMap(_ Work, i int, name string, content map[string]any) {
	var file strings.Builder
	for line := range 12 {
		fmt.Fprintf(&file, "%s.option.%02d = %d\n", name, line, i*line)
	}
	content["data"] = map[string]any{
		"log.level": "info", "listen": ":8080", "timeout": "30s", "feature.flags": "search,checkout,recommendations", "app.properties": file.String(),
	}
}

func fillService(_ Work, _ int, name string, content map[string]any) {
	content["spec"] = map[string]any{
		"selector":        map[string]any{"app.kubernetes.io/name": name},
		"sessionAffinity": "None",
		"ports": []any{
			map[string]any{"name": "http", "port": int64(80), "targetPort": "http"},
			map[string]any{"name": "metrics", "port": int64(9090), "targetPort": "metrics"},
		},
	}
}

// fillDeployment asks for no replicas: Pods would be the clusters' work and not the contestants'.
func fillDeployment(w Work, i int, name string, content map[string]any) {
	tag := "1.0.0"
	if i == firstDeployment {
		tag = w.Image
	}
	labels := map[string]any{"app.kubernetes.io/name": name}
	probe := map[string]any{"httpGet": map[string]any{"path": "/healthz", "port": "http"}, "periodSeconds": int64(10)}
	content["spec"] = map[string]any{
		"replicas":             int64(0),
		"revisionHistoryLimit": int64(5),
		"selector":             map[string]any{"matchLabels": labels},
		"template": map[string]any{
			"metadata": map[string]any{"labels": labels},
			"spec": map[string]any{"containers": []any{map[string]any{
				"name":  "app",
				"image": "registry.test/shop/" + name + ":" + tag,
				"args":  []any{"--config=/etc/app/app.properties", "--verbose"},
				"env": []any{
					map[string]any{"name": "REGION", "value": "eu"},
					map[string]any{"name": "POD_NAME", "valueFrom": map[string]any{"fieldRef": map[string]any{"fieldPath": "metadata.name"}}},
				},
				"ports": []any{
					map[string]any{"name": "http", "containerPort": int64(8080)},
					map[string]any{"name": "metrics", "containerPort": int64(9090)},
				},
				"resources": map[string]any{
					"requests": map[string]any{"cpu": "100m", "memory": "128Mi"},
					"limits":   map[string]any{"memory": "256Mi"},
				},
				"readinessProbe": probe,
				"livenessProbe":  probe,
			}}},
		},
	}
}

// firstDeployment is where mix has its first Deployment, counted with the namespace.
const firstDeployment = 2

func fillRole(_ Work, _ int, _ string, content map[string]any) {
	content["rules"] = []any{map[string]any{
		"apiGroups": []any{""}, "resources": []any{"configmaps", "services"}, "verbs": []any{"get", "list", "watch"},
	}}
}

func fillRoleBinding(w Work, i int, _ string, content map[string]any) {
	// The role right before it, and the first account: both are in mix before the binding.
	content["roleRef"] = map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": fmt.Sprintf("role-%02d", i-1)}
	content["subjects"] = []any{map[string]any{"kind": "ServiceAccount", "name": "account-04", "namespace": w.Name}}
}
