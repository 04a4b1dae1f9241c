package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/fleetform/terraform-provider-fleet/internal/health"
)

type healthCheckModel struct {
	Group      types.String `tfsdk:"group"`
	Kind       types.String `tfsdk:"kind"`
	Current    types.String `tfsdk:"current"`
	InProgress types.String `tfsdk:"in_progress"`
	Failed     types.String `tfsdk:"failed"`
	Message    types.String `tfsdk:"message"`
}

func healthChecksAttribute() schema.ListNestedAttribute {
	return schema.ListNestedAttribute{
		MarkdownDescription: "What the health of a kind is, in CEL over `object`, instead of by the rules of kstatus; one check per kind. The expressions are asked in the order " +
			"`in_progress`, `failed`, `current`; the first that is true decides, and where none is, the object is in progress. A field that is not there (yet) makes an expression false. " +
			"Before any of them, an object that is being deleted, or whose `status.observedGeneration` is behind, is in progress.",
		Optional: true,
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"group":       optionalText("API group such as `apps`. Defaults to the core group."),
			"kind":        requiredText("Kind, such as `Deployment`."),
			"current":     requiredText("CEL: true of an object that is as asked for, such as `object.status.phase == 'Ready'`."),
			"in_progress": optionalText("CEL: true of an object that is on its way. Defaults to never."),
			"failed":      optionalText("CEL: true of an object that will not get there by itself, and is not waited for any longer: the apply fails. Defaults to never."),
			"message":     optionalText("CEL: a text that goes with what was decided, such as `object.status.message`. Defaults to what the object's conditions say."),
		}},
	}
}

// healthChecks compiles the checks. It is nil, without diagnostics, where there are none, or they are not known yet.
func (m manifestModel) healthChecks(ctx context.Context) (*health.Checks, diag.Diagnostics) {
	if m.Wait.IsNull() || !whollyKnown(m.Wait) {
		return nil, nil
	}
	var wait waitModel
	var models []healthCheckModel
	diags := m.Wait.As(ctx, &wait, basetypes.ObjectAsOptions{})
	if diags.Append(wait.HealthChecks.ElementsAs(ctx, &models, false)...); diags.HasError() || len(models) == 0 {
		return nil, diags
	}
	list := make([]health.Check, 0, len(models))
	for _, c := range models {
		list = append(list, health.Check{
			Group: c.Group.ValueString(), Kind: c.Kind.ValueString(), Current: c.Current.ValueString(), InProgress: c.InProgress.ValueString(),
			Failed: c.Failed.ValueString(), Message: c.Message.ValueString(),
		})
	}
	checks, problems := health.Compile(list)
	for _, p := range problems {
		diags.AddAttributeError(path.Root("wait").AtName("health_checks").AtListIndex(p.Index).AtName(p.Argument), "Invalid health check", p.Error())
	}
	return checks, diags
}
