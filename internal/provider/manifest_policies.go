package provider

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fleetform/terraform-provider-fleet/internal/policy"
)

func policiesAttribute() schema.ListAttribute {
	return schema.ListAttribute{
		MarkdownDescription: "Policies by which the objects are judged at plan: `definition` of `fleet_policy` resources. Every object of the set is judged, changed or not, for every cluster that the policy is for, also where the cluster does not exist yet " +
			"or does not answer. A violation is an error where the policy's action is `deny`, and a warning where it is `warn`. Judged is what the dry run says would become of the object; where the cluster cannot be asked, what would be sent, without the API " +
			"server's defaults. A definition that is not known at plan is judged by at apply, before anything is done.",
		ElementType: types.StringType, Optional: true,
		Validators: []validator.List{listvalidator.NoNullValues(), listvalidator.UniqueValues()},
	}
}

// policies are those that are known.
func (m manifestModel) policies() ([]*policy.Policy, diag.Diagnostics) {
	var diags diag.Diagnostics
	var out []*policy.Policy
	for i, element := range m.Policies.Elements() {
		text, ok := element.(types.String)
		if !ok || text.IsUnknown() || text.IsNull() {
			continue
		}
		at := path.Root("policies").AtListIndex(i)
		definition, err := policy.Parse(text.ValueString())
		if err != nil {
			diags.AddAttributeError(at, "Not a policy", sentence(err.Error())+" Give the definition of a fleet_policy: policies = [fleet_policy.this.definition].")
			continue
		}
		compiled, errs := policy.Compile(definition)
		for _, err := range errs {
			diags.AddAttributeError(at, "Invalid policy", sentence(err.Error()))
		}
		if compiled != nil {
			out = append(out, compiled)
		}
	}
	return out, diags
}
