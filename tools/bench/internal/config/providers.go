package config

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// require writes required_providers. No version is asked for: the program is the one that the user named.
func (p Provider) require(body *hclwrite.Body) {
	required := body.AppendNewBlock("terraform", nil).Body().AppendNewBlock("required_providers", nil).Body()
	required.SetAttributeValue(p.Name, cty.ObjectVal(map[string]cty.Value{"source": cty.StringVal(p.Source)}))
	body.AppendNewline()
}

func writeFleet(_ Provider, s Setup, body *hclwrite.Body) error {
	body.AppendNewBlock("provider", []string{"fleet"}).Body().
		SetAttributeValue("kubeconfig_paths", cty.TupleVal([]cty.Value{cty.StringVal(s.Kubeconfig)}))
	body.AppendNewline()

	// A map in a local: Terraform evaluates what stands at for_each once for each cluster.
	clusters := map[string]cty.Value{}
	for _, name := range s.Clusters {
		clusters[name] = cty.StringVal(name)
	}
	body.AppendNewBlock("locals", nil).Body().SetAttributeValue("clusters", cty.MapVal(clusters))
	body.AppendNewline()
	cluster := body.AppendNewBlock("resource", []string{"fleet_cluster", "this"}).Body()
	if err := set(cluster, "for_each", "local.clusters"); err != nil {
		return err
	}
	if err := set(cluster, "name", "each.key"); err != nil {
		return err
	}
	if s.Defer {
		cluster.SetAttributeValue("unreachable", cty.StringVal("defer"))
	}
	body.AppendNewline()

	manifest := body.AppendNewBlock("resource", []string{"fleet_manifest", "bench"}).Body()
	manifest.SetAttributeValue("name", cty.StringVal(s.Work.Name))
	if err := set(manifest, "clusters", "fleet_cluster.this"); err != nil {
		return err
	}
	if err := set(manifest, "manifests", `[file("objects.yaml")]`); err != nil {
		return err
	}
	manifest.SetAttributeValue("wait", cty.ObjectVal(map[string]cty.Value{"until": cty.StringVal("none")}))
	if s.Detail != "" {
		manifest.SetAttributeValue("detail", cty.StringVal(s.Detail))
	}
	return nil
}

// writeKubectl has the provider once for each cluster, and one resource for each object.
func writeKubectl(p Provider, s Setup, body *hclwrite.Body) error {
	writeAliases(p, s, body)
	return writeEach(p, s, body, "kubectl_manifest", func(_ int, resource *hclwrite.Body, path string) error {
		if err := set(resource, "yaml_body", "file("+path+")"); err != nil {
			return err
		}
		resource.SetAttributeValue("server_side_apply", cty.True)
		resource.SetAttributeValue("wait_for_rollout", cty.False)
		// Destroying is done when the objects are gone, for every contestant.
		resource.SetAttributeValue("wait", cty.True)
		return nil
	})
}

func writeKubernetes(p Provider, s Setup, body *hclwrite.Body) error {
	writeAliases(p, s, body)
	return writeEach(p, s, body, "kubernetes_manifest", func(_ int, resource *hclwrite.Body, path string) error {
		return set(resource, "manifest", "yamldecode(file("+path+"))")
	})
}

// writeK8sconnect needs no aliases: each resource has its connection.
func writeK8sconnect(p Provider, s Setup, body *hclwrite.Body) error {
	body.AppendNewBlock("provider", []string{p.Name})
	body.AppendNewline()
	return writeEach(p, s, body, "k8sconnect_object", func(i int, resource *hclwrite.Body, path string) error {
		if err := set(resource, "yaml_body", "file("+path+")"); err != nil {
			return err
		}
		resource.SetAttributeRaw("cluster", hclwrite.TokensForObject([]hclwrite.ObjectAttrTokens{
			{Name: hclwrite.TokensForIdentifier("kubeconfig"), Value: hclwrite.TokensForFunctionCall("file", hclwrite.TokensForValue(cty.StringVal(s.Kubeconfig)))},
			{Name: hclwrite.TokensForIdentifier("context"), Value: hclwrite.TokensForValue(cty.StringVal(s.Clusters[i]))},
		}))
		return nil
	})
}

// writeAliases writes the provider once for each cluster, the way these providers speak to several.
func writeAliases(p Provider, s Setup, body *hclwrite.Body) {
	for i, name := range s.Clusters {
		provider := body.AppendNewBlock("provider", []string{p.Name}).Body()
		provider.SetAttributeValue("alias", cty.StringVal(alias(i)))
		provider.SetAttributeValue("config_path", cty.StringVal(s.Kubeconfig))
		provider.SetAttributeValue("config_context", cty.StringVal(name))
		body.AppendNewline()
	}
}

// writeEach writes two resources for each cluster: its namespace, and the objects in it. fill gets the cluster's index,
// and the expression of the path of the resource's file.
func writeEach(p Provider, s Setup, body *hclwrite.Body, kind string, fill func(i int, resource *hclwrite.Body, path string) error) error {
	for i := range s.Clusters {
		namespace, objects := alias(i)+"_namespace", alias(i)+"_objects"
		for _, name := range []string{namespace, objects} {
			resource := body.AppendNewBlock("resource", []string{kind, name}).Body()
			path := `"namespace.yaml"`
			if name == objects {
				path = "each.value"
				if err := set(resource, "for_each", `fileset(".", "objects/*.yaml")`); err != nil {
					return err
				}
			}
			if p.Name != "k8sconnect" {
				if err := set(resource, "provider", p.Name+"."+alias(i)); err != nil {
					return err
				}
			}
			if err := fill(i, resource, path); err != nil {
				return err
			}
			if name == objects {
				if err := set(resource, "depends_on", "["+kind+"."+namespace+"]"); err != nil {
					return err
				}
			}
			body.AppendNewline()
		}
	}
	return nil
}

func alias(i int) string { return fmt.Sprintf("c%03d", i) }

// set sets an attribute to an expression in HCL.
func set(body *hclwrite.Body, name, expression string) error {
	source := []byte(expression)
	if _, problems := hclsyntax.ParseExpression(source, name, hcl.InitialPos); problems.HasErrors() {
		return fmt.Errorf("the expression of %s: %w", name, problems)
	}
	tokens, problems := hclsyntax.LexExpression(source, name, hcl.InitialPos)
	if problems.HasErrors() {
		return fmt.Errorf("the expression of %s: %w", name, problems)
	}
	written := make(hclwrite.Tokens, 0, len(tokens))
	for _, token := range tokens {
		if token.Type == hclsyntax.TokenEOF {
			break
		}
		written = append(written, &hclwrite.Token{Type: token.Type, Bytes: token.Bytes})
	}
	body.SetAttributeRaw(name, written)
	return nil
}
