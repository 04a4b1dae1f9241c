package provider

import (
	"fmt"

	data "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
)

// dataAttributes are the attributes of a resource as a data source takes them, so that both are described once.
func dataAttributes(attributes map[string]schema.Attribute) map[string]data.Attribute {
	out := make(map[string]data.Attribute, len(attributes))
	for name, a := range attributes {
		out[name] = dataAttribute(a)
	}
	return out
}

func dataAttribute(a schema.Attribute) data.Attribute {
	switch a := a.(type) {
	case schema.StringAttribute:
		return data.StringAttribute{MarkdownDescription: a.MarkdownDescription, Required: a.Required, Optional: a.Optional, Computed: a.Computed && !a.Optional, Sensitive: a.Sensitive, Validators: a.Validators}
	case schema.BoolAttribute:
		return data.BoolAttribute{MarkdownDescription: a.MarkdownDescription, Required: a.Required, Optional: a.Optional, Computed: a.Computed && !a.Optional, Sensitive: a.Sensitive, Validators: a.Validators}
	case schema.Int64Attribute:
		return data.Int64Attribute{MarkdownDescription: a.MarkdownDescription, Required: a.Required, Optional: a.Optional, Computed: a.Computed && !a.Optional, Sensitive: a.Sensitive, Validators: a.Validators}
	case schema.ListAttribute:
		return data.ListAttribute{MarkdownDescription: a.MarkdownDescription, Required: a.Required, Optional: a.Optional, Computed: a.Computed && !a.Optional, Sensitive: a.Sensitive, Validators: a.Validators, ElementType: a.ElementType}
	case schema.MapAttribute:
		return data.MapAttribute{MarkdownDescription: a.MarkdownDescription, Required: a.Required, Optional: a.Optional, Computed: a.Computed && !a.Optional, Sensitive: a.Sensitive, Validators: a.Validators, ElementType: a.ElementType}
	case schema.SingleNestedAttribute:
		return data.SingleNestedAttribute{MarkdownDescription: a.MarkdownDescription, Required: a.Required, Optional: a.Optional, Computed: a.Computed && !a.Optional, Sensitive: a.Sensitive, Validators: a.Validators,
			Attributes: dataAttributes(a.Attributes)}
	case schema.ListNestedAttribute:
		return data.ListNestedAttribute{MarkdownDescription: a.MarkdownDescription, Required: a.Required, Optional: a.Optional, Computed: a.Computed && !a.Optional, Sensitive: a.Sensitive, Validators: a.Validators,
			NestedObject: dataObject(a.NestedObject)}
	case schema.MapNestedAttribute:
		return data.MapNestedAttribute{MarkdownDescription: a.MarkdownDescription, Required: a.Required, Optional: a.Optional, Computed: a.Computed && !a.Optional, Sensitive: a.Sensitive, Validators: a.Validators,
			NestedObject: dataObject(a.NestedObject)}
	}
	panic(fmt.Sprintf("an attribute of the type %T is not known to data sources yet", a))
}

func dataObject(o schema.NestedAttributeObject) data.NestedAttributeObject {
	return data.NestedAttributeObject{Attributes: dataAttributes(o.Attributes), Validators: o.Validators}
}
