package tenancy

import (
	"regexp"
	"strconv"
)

// valuesOf merges what is set for a chart: valuesFrom in order, values, then
// settings in order; of values and settings the plan's lie below the tenancy's
// own. The result shares nothing with the spec.
func valuesOf(namespace string, c chart, references References) (map[string]any, error) {
	layers, err := layersOf(c)
	if err != nil {
		return nil, err
	}
	values := map[string]any{}
	if err := addReferenced(values, namespace, c.Chart, references); err != nil {
		return nil, err
	}
	f := &filler{parameters: c.parameters}
	for _, l := range layers {
		merge(values, f.tree(l.values).(map[string]any))
	}
	for _, l := range layers {
		if err := l.set(values, f); err != nil {
			return nil, err
		}
	}
	return values, f.err()
}

// layersOf lists what sets values and settings of a chart, lowest first.
func layersOf(c chart) ([]*layer, error) {
	var out []*layer
	if c.plan != nil {
		out = append(out, c.plan)
	}
	if c.Values == nil && len(c.Settings) == 0 {
		return out, nil
	}
	own, err := readLayer(c.Values, c.Settings, nil)
	return append(out, own), err
}

var (
	boolean = regexp.MustCompile(`^(true|True|TRUE|false|False|FALSE)$`)
	integer = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*)$`)
	decimal = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*)?\.[0-9]+$`)
)

// scalar types a text as YAML does. Where YAML 1.1 and 1.2 disagree (yes, 0123,
// 1e6, 1_000) and for null it stays text, so that nothing a person wrote gets
// another meaning or removes a default.
func scalar(text string) any {
	switch {
	case boolean.MatchString(text):
		return text[0] == 't' || text[0] == 'T'
	case integer.MatchString(text):
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			return i
		}
	case decimal.MatchString(text):
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return f
		}
	}
	return text
}
