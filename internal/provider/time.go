package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// timeValidator accepts instants as RFC 3339 writes them.
type timeValidator struct{}

var _ validator.String = timeValidator{}

func (timeValidator) Description(context.Context) string {
	return `must be a time such as "2026-01-31T12:00:00Z"`
}

func (v timeValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v timeValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if _, err := time.Parse(time.RFC3339, req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid time", notATime(req.ConfigValue.ValueString()))
	}
}

func notATime(text string) string {
	return fmt.Sprintf("%q is no time. Write it as in \"2026-01-31T12:00:00Z\", or give timestamp() or plantimestamp().", text)
}
