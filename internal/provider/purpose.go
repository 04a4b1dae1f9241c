package provider

import (
	"context"
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

// Terraform hands Delete the private data of the plan that led to it: of a destroy's plan, or, when the resource is
// destroyed only to be replaced, of the plan of its successor's creation. So a plan leaves a mark, and a Delete that does
// not find the mark of a destroy removes nothing from any cluster.
const (
	purposeKey     = "purpose"
	purposeReplace = `"replace"`
	purposeDestroy = `"destroy"`
	clustersKey    = "clusters"
)

// markPurpose leaves the mark, and tells whether the plan is a destroy's.
func markPurpose(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) (destroy bool) {
	switch {
	case req.Plan.Raw.IsNull():
		resp.Diagnostics.Append(resp.Private.SetKey(ctx, purposeKey, []byte(purposeDestroy))...)
		return true
	case req.State.Raw.IsNull():
		resp.Diagnostics.Append(resp.Private.SetKey(ctx, purposeKey, []byte(purposeReplace))...)
	}
	return false
}

// markClusters leaves the names of the clusters that the resource in the making will be on, so that its predecessor's Delete
// can tell which clusters have no successor.
func markClusters(ctx context.Context, names []string, resp *resource.ModifyPlanResponse) diag.Diagnostics {
	text, err := json.Marshal(names)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("The plan could not be marked", err.Error())}
	}
	return resp.Private.SetKey(ctx, clustersKey, text)
}

// successors reads those names; nil where they are not known, and then every cluster counts as having one.
func successors(ctx context.Context, req resource.DeleteRequest) ([]string, diag.Diagnostics) {
	text, diags := req.Private.GetKey(ctx, clustersKey)
	if text == nil {
		return nil, diags
	}
	names := []string{}
	if err := json.Unmarshal(text, &names); err != nil {
		diags.AddError("The plan's mark does not parse", err.Error())
	}
	return names, diags
}

// isDestroy reads the mark. What is not known to be a destroy is none: a fleet's workloads are worth more than tidiness.
func isDestroy(ctx context.Context, req resource.DeleteRequest) (bool, diag.Diagnostics) {
	purpose, diags := req.Private.GetKey(ctx, purposeKey)
	return string(purpose) == purposeDestroy, diags
}
