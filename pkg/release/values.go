package release

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"k8s.io/utils/lru"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// checker says whether values fit charts. It keeps schemas that it has compiled.
type checker struct {
	schemas *lru.Cache // *jsonschema.Schema by what is in the file
}

// schemasKept is how many there are at most. Charts of one spec are 64, and some have
// subcharts with schemas.
const schemasKept = 256

func newChecker() checker { return checker{schemas: lru.New(schemasKept)} }

// check says whether the values fit the chart: no value below a scalar of the
// chart, and the values.schema.json of the chart and its subcharts. It changes
// both of its arguments.
func (c checker) check(chart *helmchart.Chart, values map[string]any) error {
	if err := below(chart.Values, values, nil); err != nil {
		return err
	}
	if err := chartutil.ProcessDependenciesWithMerge(chart, values); err != nil {
		return fmt.Errorf("%w: %w", tenancy.ErrChartInvalid, err)
	}
	merged, err := chartutil.CoalesceValues(chart, values)
	if err != nil {
		return fmt.Errorf("%w: %w", tenancy.ErrValues, err)
	}
	return c.checkSchema(chart, merged)
}

// below refuses a map where the chart has a number or a text by default.
func below(defaults, values map[string]any, path []string) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		wanted, isMap := values[name].(map[string]any)
		if !isMap {
			continue
		}
		here := append(slices.Clone(path), name)
		switch had := defaults[name].(type) {
		case map[string]any:
			if err := below(had, wanted, here); err != nil {
				return err
			}
		case float64, int64:
			return fmt.Errorf("%w: nothing can be set below %s, which is a number in the chart", tenancy.ErrValues, strings.Join(here, "."))
		case string:
			if had != "" {
				return fmt.Errorf("%w: nothing can be set below %s, which is a text in the chart", tenancy.ErrValues, strings.Join(here, "."))
			}
		}
	}
	return nil
}

func (c checker) checkSchema(chart *helmchart.Chart, values map[string]any) error {
	if len(chart.Schema) > 0 {
		if err := c.checkOne(chart.Name(), chart.Schema, values); err != nil {
			return err
		}
	}
	for _, sub := range chart.Dependencies() {
		own, ok := values[sub.Name()].(map[string]any)
		if !ok {
			continue
		}
		if err := c.checkSchema(sub, own); err != nil {
			return err
		}
	}
	return nil
}

func (c checker) checkOne(name string, schema []byte, values map[string]any) error {
	compiled, err := c.compile(schema)
	if err != nil {
		return fmt.Errorf("%w: values.schema.json of chart %s %w", tenancy.ErrChartInvalid, name, err)
	}
	var invalid *jsonschema.ValidationError
	switch err := compiled.Validate(values); {
	case err == nil:
		return nil
	case errors.As(err, &invalid):
		return fmt.Errorf("%w: %s", tenancy.ErrValues, describe(invalid))
	default:
		return fmt.Errorf("%w: %w", tenancy.ErrValues, err)
	}
}

func (c checker) compile(schema []byte) (*jsonschema.Schema, error) {
	if known, ok := c.schemas.Get(string(schema)); ok {
		return known.(*jsonschema.Schema), nil
	}
	const location = "mem:///values.schema.json"
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return nil, errors.New("is not JSON")
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noLoader{})
	if err := compiler.AddResource(location, doc); err != nil {
		return nil, fmt.Errorf("is no schema: %w", err)
	}
	compiled, err := compiler.Compile(location)
	if err != nil {
		return nil, fmt.Errorf("is no schema: %w", err)
	}
	c.schemas.Add(string(schema), compiled)
	return compiled, nil
}

// describe names where the values break the schema, and how, deepest cause
// first. It leaves the values out.
func describe(err *jsonschema.ValidationError) string {
	for len(err.Causes) > 0 {
		err = err.Causes[0]
	}
	where := strings.Join(err.InstanceLocation, ".")
	if where == "" {
		where = "the values"
	}
	return where + " " + rule(err.ErrorKind)
}

// rule says what is asked for, without what was given.
func rule(err jsonschema.ErrorKind) string {
	switch k := err.(type) {
	case *kind.Type:
		return fmt.Sprintf("must be %s and is %s", strings.Join(k.Want, " or "), k.Got)
	case *kind.Enum:
		return fmt.Sprintf("must be one of %v", k.Want)
	case *kind.Const:
		return fmt.Sprintf("must be %v", k.Want)
	case *kind.Format:
		return "must have the format " + k.Want
	case *kind.Pattern:
		return "must match " + k.Want
	case *kind.Minimum:
		return "must be at least " + k.Want.RatString()
	case *kind.Maximum:
		return "must be at most " + k.Want.RatString()
	case *kind.ExclusiveMinimum:
		return "must be more than " + k.Want.RatString()
	case *kind.ExclusiveMaximum:
		return "must be less than " + k.Want.RatString()
	case *kind.MultipleOf:
		return "must be a multiple of " + k.Want.RatString()
	case *kind.AdditionalProperties:
		return fmt.Sprintf("has no setting %q in the schema of the chart", strings.Join(k.Properties, ", "))
	case *kind.Required:
		return fmt.Sprintf("must have %q", strings.Join(k.Missing, ", "))
	case *kind.MinLength, *kind.MaxLength, *kind.MinItems, *kind.MaxItems, *kind.MinProperties, *kind.MaxProperties:
		return err.LocalizedString(message.NewPrinter(language.English))
	}
	return "breaks " + strings.Join(err.KeywordPath(), " ") + " of the schema of the chart"
}

// noLoader refuses every document a schema refers to: neither files nor URLs
// are read for a chart.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("a reference to %q is not followed", url)
}
