package health

import (
	"fmt"
	"reflect"
	"regexp"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"k8s.io/apimachinery/pkg/api/resource"
)

// quantityType is what Kubernetes calls the type of quantities in CEL.
var quantityType = cel.ObjectType("kubernetes.Quantity")

// quantity is a resource.Quantity in CEL.
type quantity struct{ resource.Quantity }

func (q quantity) ConvertToNative(to reflect.Type) (any, error) {
	if to == reflect.TypeFor[string]() {
		return q.String(), nil
	}
	return nil, fmt.Errorf("a quantity is no %s", to)
}

func (q quantity) ConvertToType(to ref.Type) ref.Val {
	switch to {
	case types.TypeType:
		return quantityType
	case types.StringType:
		return types.String(q.String())
	}
	return types.NewErr("a quantity is no %s", to.TypeName())
}

func (q quantity) Equal(other ref.Val) ref.Val {
	o, ok := other.(quantity)
	return types.Bool(ok && q.Cmp(o.Quantity) == 0)
}

func (q quantity) Type() ref.Type { return quantityType }

func (q quantity) Value() any { return q.Quantity }

// functions are options of an environment as one.
func functions(options ...cel.EnvOption) cel.EnvOption {
	return func(env *cel.Env) (*cel.Env, error) {
		var err error
		for _, option := range options {
			if env, err = option(env); err != nil {
				return nil, err
			}
		}
		return env, nil
	}
}

// kubernetesFunctions are functions of Kubernetes' own CEL libraries, with their names and meaning.
func kubernetesFunctions() cel.EnvOption {
	compare := func(name string, ok func(int) bool) cel.EnvOption {
		return cel.Function(name, cel.MemberOverload("quantity_"+name, []*cel.Type{quantityType, quantityType}, cel.BoolType,
			cel.BinaryBinding(ofQuantities(func(a, b quantity) ref.Val { return types.Bool(ok(a.Cmp(b.Quantity))) }))))
	}
	return functions(
		cel.Function("quantity", cel.Overload("string_to_quantity", []*cel.Type{cel.StringType}, quantityType, cel.UnaryBinding(parseQuantity))),
		cel.Function("isQuantity", cel.Overload("is_quantity_string", []*cel.Type{cel.StringType}, cel.BoolType,
			cel.UnaryBinding(func(v ref.Val) ref.Val { return types.Bool(!types.IsError(parseQuantity(v))) }))),
		compare("isGreaterThan", func(c int) bool { return c > 0 }),
		compare("isLessThan", func(c int) bool { return c < 0 }),
		cel.Function("compareTo", cel.MemberOverload("quantity_compare_to", []*cel.Type{quantityType, quantityType}, cel.IntType,
			cel.BinaryBinding(ofQuantities(func(a, b quantity) ref.Val { return types.Int(a.Cmp(b.Quantity)) })))),
		cel.Function("asApproximateFloat", cel.MemberOverload("quantity_as_float", []*cel.Type{quantityType}, cel.DoubleType,
			cel.UnaryBinding(func(v ref.Val) ref.Val {
				q, ok := v.(quantity)
				if !ok {
					return types.MaybeNoSuchOverloadErr(v)
				}
				return types.Double(q.AsApproximateFloat64())
			}))),
		cel.Function("find", cel.MemberOverload("string_find_string", []*cel.Type{cel.StringType, cel.StringType}, cel.StringType,
			cel.BinaryBinding(func(a, b ref.Val) ref.Val {
				return matching(a, b, func(re *regexp.Regexp, s string) ref.Val { return types.String(re.FindString(s)) })
			}))),
		cel.Function("findAll", cel.MemberOverload("string_find_all_string", []*cel.Type{cel.StringType, cel.StringType}, cel.ListType(cel.StringType),
			cel.BinaryBinding(func(a, b ref.Val) ref.Val {
				return matching(a, b, func(re *regexp.Regexp, s string) ref.Val {
					return types.NewStringList(types.DefaultTypeAdapter, re.FindAllString(s, -1))
				})
			}))),
	)
}

func parseQuantity(v ref.Val) ref.Val {
	s, ok := v.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(v)
	}
	q, err := resource.ParseQuantity(string(s))
	if err != nil {
		return types.NewErr("%q is no quantity: %v", string(s), err)
	}
	return quantity{q}
}

func ofQuantities(do func(a, b quantity) ref.Val) func(a, b ref.Val) ref.Val {
	return func(a, b ref.Val) ref.Val {
		x, okX := a.(quantity)
		y, okY := b.(quantity)
		if !okX || !okY {
			return types.MaybeNoSuchOverloadErr(a)
		}
		return do(x, y)
	}
}

func matching(a, b ref.Val, do func(re *regexp.Regexp, s string) ref.Val) ref.Val {
	s, okS := a.(types.String)
	pattern, okP := b.(types.String)
	if !okS || !okP {
		return types.MaybeNoSuchOverloadErr(a)
	}
	re, err := regexp.Compile(string(pattern))
	if err != nil {
		return types.NewErr("%q is no regular expression: %v", string(pattern), err)
	}
	return do(re, string(s))
}
