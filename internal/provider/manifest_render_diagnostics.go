package provider

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/override"
)

// textDiagnostics says what is wrong with texts, one diagnostic per text, each pointing at it.
func textDiagnostics(err error, summary string) diag.Diagnostics {
	var diags diag.Diagnostics
	var places []path.Path
	lines := map[string][]string{}
	for _, e := range flatten(err) {
		at := renderPath(e)
		if len(lines[at.String()]) == 0 {
			places = append(places, at)
		}
		lines[at.String()] = append(lines[at.String()], e.Error())
	}
	for _, at := range places {
		diags.AddAttributeError(at, summary, strings.Join(lines[at.String()], "\n"))
	}
	return diags
}

// renderPath is where in the configuration the cause of an error of a rendering stands.
func renderPath(err error) path.Path {
	var text *manifest.Error
	var patch *override.Error
	var missing *deploy.NoTextsError
	var after *deploy.OverriddenError
	switch {
	case errors.As(err, &text):
		return textPath(text.Position)
	case errors.As(err, &patch):
		return argumentPath(path.Root("overrides").AtListIndex(patch.Rule), patch.Argument)
	case errors.As(err, &after):
		return path.Root("overrides")
	case errors.As(err, &missing):
		return path.Root("variants")
	}
	return path.Root("manifests")
}

func textPath(p manifest.Position) path.Path {
	var variant int
	if _, err := fmt.Sscanf(p.Argument, "variants[%d].manifests", &variant); err == nil {
		return path.Root("variants").AtListIndex(variant).AtName("manifests").AtListIndex(p.Manifest)
	}
	if p.Argument == "" {
		p.Argument = deploy.ArgumentManifests
	}
	return path.Root(p.Argument).AtListIndex(p.Manifest)
}

// argumentPath is the path of an argument such as json_patch[1] or images["nginx"].tag, as far as it is one of the schema.
func argumentPath(at path.Path, argument string) path.Path {
	if name := strings.FieldsFunc(argument, func(r rune) bool { return r == '[' || r == '.' }); len(name) > 0 {
		return at.AtName(name[0])
	}
	return at
}

// renderDiagnostics says why objects cannot be made, one diagnostic per place in the configuration, with equal complaints of several
// clusters as one line.
func renderDiagnostics(errs []error) diag.Diagnostics {
	var diags diag.Diagnostics
	type group struct {
		at       path.Path
		summary  string
		problems deploy.Problems
	}
	var groups []*group
	for _, err := range flatten(errors.Join(errs...)) {
		var invalid *override.InvalidRuleError
		var unused *override.UnusedError
		var rendering *deploy.RenderError
		switch {
		case errors.As(err, &invalid):
			for _, p := range invalid.Problems {
				one := &override.InvalidRuleError{Rule: invalid.Rule, Problems: []override.Problem{p}}
				diags.AddAttributeError(argumentPath(path.Root("overrides").AtListIndex(invalid.Rule), p.Argument), "Invalid override", one.Error())
			}
		case errors.As(err, &unused):
			diags.AddAttributeError(argumentPath(path.Root("overrides").AtListIndex(unused.Rule), unused.Argument), "An override that is for nothing", unused.Error())
		case errors.As(err, &rendering):
			at, summary := renderPath(err), renderSummary(rendering.Err)
			i := slices.IndexFunc(groups, func(g *group) bool { return g.at.Equal(at) && g.summary == summary })
			if i < 0 {
				i, groups = len(groups), append(groups, &group{at: at, summary: summary})
			}
			groups[i].problems = append(groups[i].problems, renderProblem(rendering))
		default:
			diags.AddAttributeError(path.Root("manifests"), "Objects cannot be made", err.Error())
		}
	}
	for _, g := range groups {
		where := fmt.Sprintf(" for %d clusters", len(g.problems.Clusters()))
		if names := g.problems.Clusters(); len(names) == 1 {
			where = fmt.Sprintf(" for cluster %q", names[0])
		}
		diags.AddAttributeError(g.at, g.summary+where, g.problems.String())
	}
	return diags
}

func renderSummary(err error) string {
	var text *manifest.Error
	var missing *deploy.NoTextsError
	var patch *override.Error
	var after *deploy.OverriddenError
	switch {
	case errors.As(err, &text):
		return "Invalid manifest"
	case errors.As(err, &missing):
		return "No variant"
	case errors.As(err, &patch), errors.As(err, &after):
		return "An override cannot be applied"
	}
	return "Objects cannot be made"
}

// renderProblem leaves the cluster out of the message, which otherwise would keep equal ones apart.
func renderProblem(err *deploy.RenderError) deploy.Problem {
	p := deploy.Problem{Cluster: err.Cluster, Err: err.Err}
	var patch *override.Error
	if errors.As(err.Err, &patch) {
		p.Err = fmt.Errorf("overrides[%d].%s", patch.Rule, override.Problem{Argument: patch.Argument, Path: patch.Path, Detail: patch.Detail})
		if patch.Key.Kind != "" {
			p.Object = &patch.Key
		}
	}
	return p
}
